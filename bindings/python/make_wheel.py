#!/usr/bin/env python3
"""make_wheel.py --library FILE --version VERSION --out DIR [--unpack DIR]: the wheel of this folder's package, and the
same unpacked, with the standard library and readelf alone. The same input gives the same bytes."""

import argparse
import base64
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# ELF's e_machine, at byte 18, as the names of platform tags.
MACHINES = {62: "x86_64", 183: "aarch64"}
# What every Linux system with glibc has, and manylinux allows.
ALLOWED = {"libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

METADATA = """\
Metadata-Version: 2.1
Name: deeplab
Version: {version}
Summary: Semantic segmentation of photos on the CPU: DeepLabV3-MobileNetV2, without TensorFlow
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: numpy >=1.20
Provides-Extra: photos
Requires-Dist: Pillow >=8 ; extra == 'photos'
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

{readme}"""


def platform_tag(library: pathlib.Path) -> str:
    """manylinux_X_Y_ARCH, X.Y being the newest glibc of which the library uses a symbol. Refuses a library that needs
    others than the allowed ones."""
    machine = MACHINES[int.from_bytes(library.read_bytes()[18:20], "little")]
    dynamic = subprocess.run(["readelf", "--dynamic", "--version-info", "--wide", str(library)], check=True,
                             capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if not needed <= ALLOWED:
        sys.exit(f"make_wheel.py: {library} needs {', '.join(sorted(needed - ALLOWED))}, which not every system has")
    versions = [tuple(map(int, text.split("."))) for text in re.findall(r"Name: GLIBC_([0-9.]+)", dynamic)]
    return "manylinux_{}_{}_{}".format(*max(versions)[:2], machine)


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--unpack", type=pathlib.Path)
    options = parser.parse_args()

    tag = f"py3-none-{platform_tag(options.library)}"
    info = f"deeplab-{options.version}.dist-info"
    files = {path.relative_to(HERE).as_posix(): path.read_bytes()
             for path in sorted((HERE / "deeplab").rglob("*"))
             if path.suffix == ".py" or path.name == "py.typed"}
    files["deeplab/libdeeplab.so"] = options.library.read_bytes()
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    files[f"{info}/METADATA"] = METADATA.format(version=options.version, readme=readme).encode()
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: make_wheel.py of deeplab.cpp\n"
                              f"Root-Is-Purelib: false\nTag: {tag}\n").encode()
    for name in ("LICENSE", "NOTICE"):
        files[f"{info}/{name}"] = (ROOT / name).read_bytes()
    record = "".join(record_line(name, data) for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()

    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("deeplab-*.whl"):
        old.unlink()
    wheel = options.out / f"deeplab-{options.version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)  # of 1980: no time of day in the file
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    if options.unpack:
        shutil.rmtree(options.unpack, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(options.unpack)
    print(wheel)


if __name__ == "__main__":
    main()
