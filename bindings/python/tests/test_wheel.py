"""The wheel: what is in it, and that it installs and runs without a network and without this repository."""

import ast
import base64
import csv
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import deeplab
from common import ROOT, environment


def wheel():
    found = list(pathlib.Path(environment("DEEPLAB_WHEELS", "where the wheel is")).glob("*.whl"))
    assert len(found) == 1, found
    return found[0]


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with zipfile.ZipFile(wheel()) as archive:
            cls.files = {name: archive.read(name) for name in archive.namelist()}
        cls.info = f"deeplab-{deeplab.__version__}.dist-info"

    def test_record_has_the_hash_and_size_of_each_file(self):
        rows = list(csv.reader(io.StringIO(self.files[f"{self.info}/RECORD"].decode())))
        self.assertEqual([name for name, _, _ in rows], list(self.files))
        for name, digest, size in rows[:-1]:
            data = self.files[name]
            encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            self.assertEqual((digest, int(size)), (f"sha256={encoded}", len(data)), name)

    def test_all_of_the_package_is_inside(self):
        package = ROOT / "bindings" / "python"
        wanted = {path.relative_to(package).as_posix() for path in (package / "deeplab").rglob("*.py")}
        self.assertEqual({name for name in self.files if name.endswith(".py")}, wanted)
        self.assertIn("deeplab/py.typed", self.files)
        for name in ("LICENSE", "NOTICE"):
            self.assertEqual(self.files[f"{self.info}/{name}"], (ROOT / name).read_bytes())

    def test_metadata(self):
        metadata = self.files[f"{self.info}/METADATA"].decode()
        self.assertIn(f"\nVersion: {deeplab.__version__}\n", metadata)
        self.assertIn("\nRequires-Python: >=3.9\n", metadata)
        tag = re.search("Tag: (.*)\n", self.files[f"{self.info}/WHEEL"].decode())[1]
        self.assertEqual(wheel().name, f"deeplab-{deeplab.__version__}-{tag}.whl")
        self.assertTrue(tag.startswith("py3-none-manylinux_2_"), tag)

    def test_syntax_is_that_of_python_3_9(self):
        for name, data in self.files.items():
            if name.endswith(".py"):
                ast.parse(data, name, feature_version=(3, 9))

    def test_library_exports_the_interface_alone_and_needs_glibc_alone(self):
        if shutil.which("readelf") is None:
            self.skipTest("skipped: no readelf")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "libdeeplab.so"
            path.write_bytes(self.files["deeplab/libdeeplab.so"])
            elf = subprocess.run(["readelf", "--dynamic", "--dyn-syms", "--version-info", "--wide", path], check=True,
                                 capture_output=True, text=True).stdout
        exported = re.findall(r"(?:GLOBAL|WEAK|UNIQUE)\s+\w+\s+(?!UND)\w+ ([\w@.]+)\n", elf)
        listed = (ROOT / "tests" / "install" / "exported_symbols.txt").read_text().split()
        self.assertEqual(sorted(exported), sorted(listed))
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", elf)
        self.assertFalse([name for name in needed if not re.match(r"(libc|libm|ld-linux[-\w]*)\.so\.\d$", name)])
        # The tag is what the symbols ask for: it promises neither less nor more.
        minors = [int(minor) for minor in re.findall(r"Name: GLIBC_2\.(\d+)", elf)]
        self.assertIn(f"manylinux_2_{max(minors)}_", wheel().name)


class Installed(unittest.TestCase):
    def test_fresh_environment_without_network(self):
        with tempfile.TemporaryDirectory() as folder:
            environment_folder = pathlib.Path(folder) / "venv"
            made = subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", environment_folder],
                                  capture_output=True, text=True)
            if made.returncode != 0:
                self.skipTest("skipped: cannot make a virtual environment (Debian's package python3-venv)")
            python = environment_folder / "bin" / "python"
            clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP"))}
            subprocess.run([python, "-m", "pip", "--quiet", "install", "--no-index", "--force-reinstall", "--no-deps",
                            wheel()], check=True, env=clean, cwd=folder)
            program = ("import deeplab, numpy\n"
                       "segmenter = deeplab.Segmenter(deeplab.Model(), size=65, threads=1)\n"
                       "mask = segmenter.segment(numpy.zeros((5, 7, 3), 'uint8')).category_mask\n"
                       "print(deeplab.__file__, mask.shape)")
            printed = subprocess.run([python, "-c", program], check=True, env=clean, cwd=folder, capture_output=True,
                                     text=True).stdout
            self.assertTrue(printed.startswith(str(environment_folder)), printed)
            self.assertTrue(printed.endswith(" (5, 7)\n"), printed)


if __name__ == "__main__":
    unittest.main()
