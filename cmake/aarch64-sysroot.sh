#!/bin/sh
# aarch64-sysroot.sh DIRECTORY: unpacks Debian's arm64 builds of our dependencies there, for the
# aarch64 preset. Needs no root and changes nothing on the machine: apt works on a state of its
# own.
set -eu
packages="zlib1g zlib1g-dev libflatbuffers-dev
          libgtest-dev libgmock-dev
          libjpeg62-turbo libjpeg62-turbo-dev libpng16-16 libpng-dev libwebp7 libwebp-dev
          libfmt9 libfmt-dev libcli11-dev nlohmann-json3-dev"
sysroot=$1
if [ -e "$sysroot/complete" ]; then exit 0; fi

rm -rf "$sysroot"
mkdir -p "$sysroot/apt/lists/partial" "$sysroot/apt/archives/partial"
sysroot=$(cd "$sysroot" && pwd)
: > "$sysroot/apt/status"
cat > "$sysroot/apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Dir::State "$sysroot/apt";
Dir::State::status "$sysroot/apt/status";
Dir::Cache "$sysroot/apt";
APT::Sandbox::User "$(id -un)";
CONF
export APT_CONFIG="$sysroot/apt/apt.conf"
apt-get -q update
cd "$sysroot/apt/archives"
# shellcheck disable=SC2086  # a list of words
apt-get -q download $packages
for package in ./*.deb; do dpkg-deb -x "$package" "$sysroot"; done
# Absolute links (libz.so) would lead out of the sysroot.
find "$sysroot" -type l -lname '/*' | while read -r link; do
  ln -sf "$sysroot$(readlink "$link")" "$link"
done
rm -rf "$sysroot/apt"
touch "$sysroot/complete"
