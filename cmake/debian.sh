# Sourced by build.sh and .ci/run: what the build needs on Debian 12, and how it gets there.
# shellcheck shell=bash disable=SC2034  # the lists are for the scripts that source this

build_packages="build-essential cmake ninja-build pkg-config zlib1g-dev
  flatbuffers-compiler libflatbuffers-dev
  libjpeg62-turbo-dev libpng-dev libwebp-dev
  libcli11-dev libfmt-dev nlohmann-json3-dev libgtest-dev libgmock-dev"
# libopenblas0-pthread: Debian's default BLAS would slow down what libtorch does itself.
train_packages="libtorch-dev libgloo-dev libopenblas0-pthread libdnnl-dev"
cross_packages="g++-aarch64-linux-gnu qemu-user"
style_packages="clang-format-14"
clang_packages="clang-16 libclang-rt-16-dev"
tidy_packages="clang-16 clang-tidy-16"
codecs_packages="libheif-dev libtiff-dev libgif-dev liblcms2-dev"
bench_packages="libbenchmark-dev"
wheel_packages="build-essential cmake ninja-build zlib1g-dev flatbuffers-compiler libflatbuffers-dev python3"
# chromium is for the tests; without it, and without playwright-core from npm, those of the browser are skipped.
web_packages="cmake ninja-build emscripten clang-16 nodejs flatbuffers-compiler libflatbuffers-dev"
python_packages="python3 python3-numpy python3-pil python3-venv mypy"
# plugins-good (jpeg, avi, crop) and gi are for the tests.
gstreamer_packages="libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-tools python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
  python3-numpy"

# ffmpeg, the program, makes the clips of the tests; without it they are skipped.
video_packages="libavformat-dev libavcodec-dev libavutil-dev libswscale-dev ffmpeg"

# Runs a command as root, through sudo if need be.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif [ -t 0 ]; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# Installs those of the named packages that are missing, and says which before it does.
install_missing() {
  if ! command -v apt-get >/dev/null; then
    echo "No apt-get here, so nothing is installed; the build needs what these Debian packages hold:"
    echo "$@"
    return 0
  fi
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  echo "Missing Debian packages: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "Install them as root, then start this again:"
    echo "  apt-get install --no-install-recommends ${missing[*]}"
    return 1
  fi
  echo "Installing them with: apt-get install --no-install-recommends"
  as_root apt-get -q update
  as_root apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# package_arguments DEFAULT_DIR WHAT [ARGUMENT...]: the arguments of a script OUT_DIR [-B DIR] [-DOPTION=VALUE...] that
# builds WHAT ("the wheel"), as the variables out, directory and options. --help prints the comment at its top.
package_arguments() {
  local script=$0 name what=$2
  name=$(basename "$script")
  directory=$1 options=()
  shift 2
  case "${1:-}" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$script"
      exit 0
      ;;
    '' | -*)
      echo "$name: the first argument is the folder for $what (see $name --help)" >&2
      exit 2
      ;;
  esac
  out=$(realpath -m "$1") && shift
  while [ $# -gt 0 ]; do
    case $1 in
      -B) directory=${2:?-B needs a directory} && shift 2 ;;
      -D*) options+=("$1") && shift ;;
      *)
        echo "$name: unknown argument '$1' (see $name --help)" >&2
        exit 2
        ;;
    esac
  done
}
