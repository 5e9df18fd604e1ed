"""deeplab/_c.py says what the headers say: a C compiler prints sizes, offsets and values, and takes each function by a
pointer of the type that ctypes believes it to have."""

import ctypes
import enum
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from common import ROOT
from deeplab import _c, errors

HEADERS = ROOT / "include" / "deeplab"


def c_name(struct):
    return "deeplab" + re.sub("([A-Z])", lambda match: "_" + match[1].lower(), struct.__name__)


def structs():
    return [value for value in vars(_c).values()
            if isinstance(value, type) and issubclass(value, _c.Struct) and value is not _c.Struct]


def enumerators():
    return {f"DEEPLAB_{member.name}": member.value
            for kind in vars(_c).values() if isinstance(kind, type) and issubclass(kind, enum.IntEnum)
            for member in kind}


def declarations():
    """Result and arguments of every function of the headers, as C text: {"deeplab_version": ("const char*", [])}."""
    text = "".join((HEADERS / name).read_text() for name in ("deeplab.h", "deeplab_draw.h"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = re.findall(r"DEEPLAB_API\s+([\w\s*]+?[\s*])(deeplab_\w+)\(([^;]*)\);", text)
    return {name: (result.strip(), [] if arguments.strip() == "void" else split(arguments))
            for result, name, arguments in found}


def split(arguments):
    """At the commas that are not inside a function pointer's parentheses."""
    return [" ".join(argument.split()) for argument in re.split(r",(?![^(]*\))", arguments)]


def kind_of_c(declaration):
    """How an argument or a result is passed: "pointer", "int32_t", ..., from its C text."""
    if "*" in declaration or "[" in declaration:
        return "pointer"
    words = [word for word in declaration.split() if word != "const"]
    return words[0]


def kind_of_ctypes(kind):
    if kind == _c.STATUS:
        return "deeplab_status"
    if kind is None:
        return "void"
    if kind in (ctypes.c_void_p, ctypes.c_char_p) or issubclass(kind, ctypes._Pointer):
        return "pointer"
    # c_size_t and c_uint64 are one class of ctypes, and so on: told apart by the header, equal in size and sign.
    return {ctypes.c_int32: "int32_t", ctypes.c_int64: "int64_t", ctypes.c_uint64: "uint64_t",
            ctypes.c_float: "float", ctypes.c_double: "double"}[kind]


SAME_AS = {"size_t": "uint64_t", "ptrdiff_t": "int64_t"}


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        compiler = shutil.which(os.environ.get("CC") or "cc")
        if compiler is None:
            raise unittest.SkipTest("skipped: no C compiler")
        lines = []
        for struct in structs():
            lines.append(f'printf("sizeof {c_name(struct)}: %zu\\n", sizeof({c_name(struct)}));')
            for field, *_ in struct._fields_:
                place = f"{c_name(struct)}, {field}"
                lines.append(f'printf("{c_name(struct)}.{field}: %zu %zu\\n", offsetof({place}), '
                             f"sizeof((({c_name(struct)}*)0)->{field}));")
        for name in enumerators():
            lines.append(f'printf("{name}: %d\\n", (int){name});')
        lines.append('printf("version: %d %d\\n", DEEPLAB_VERSION_MAJOR, DEEPLAB_VERSION_MINOR);')
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "layout.c")
            with open(source, "w") as file:
                file.write("#include <deeplab/deeplab_draw.h>\n#include <stdio.h>\nint main(void) {\n"
                           + "\n".join(lines) + "\nreturn 0;\n}\n")
            program = os.path.join(folder, "layout")
            subprocess.run([compiler, "-std=c99", f"-I{HEADERS.parent}", source, "-o", program], check=True)
            printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        lines = [line.split(": ") for line in printed.splitlines()]
        cls.compiled = {name: numbers.split() for name, numbers in lines}

    def test_structs(self):
        self.assertGreater(len(structs()), 10)
        for struct in structs():
            with self.subTest(struct=c_name(struct)):
                self.assertEqual(self.compiled[f"sizeof {c_name(struct)}"], [str(ctypes.sizeof(struct))])
                for field, *_ in struct._fields_:
                    place = getattr(struct, field)
                    self.assertEqual(self.compiled[f"{c_name(struct)}.{field}"], [str(place.offset), str(place.size)],
                                     field)

    def test_enumerators(self):
        self.assertGreater(len(enumerators()), 20)
        for name, value in enumerators().items():
            self.assertEqual(self.compiled[name], [str(value)], name)

    def test_version(self):
        self.assertEqual(self.compiled["version"], [str(number) for number in _c.VERSION])


class Declarations(unittest.TestCase):
    def test_each_function_has_the_result_and_arguments_of_the_header(self):
        declared = declarations()
        self.assertGreater(len(declared), 60)
        for name, (result, *arguments) in _c.FUNCTIONS.items():
            with self.subTest(function=name):
                c_result, c_arguments = declared[name]
                wanted = [kind_of_c(text) for text in [c_result, *c_arguments]]
                self.assertEqual([kind_of_ctypes(kind) for kind in [result, *arguments]],
                                 [SAME_AS.get(kind, kind) for kind in wanted])

    def test_structs_have_all_members_of_the_header(self):
        text = "".join((HEADERS / name).read_text() for name in ("deeplab.h", "deeplab_draw.h"))
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        for struct in structs():
            body = re.search(rf"typedef struct {c_name(struct)} {{(.*?)}} {c_name(struct)};", text, re.S)[1]
            members = [re.search(r"\(\*(\w+)\)|(\w+)(\[\d\])?$", member.strip()) for member in body.split(";")[:-1]]
            self.assertEqual([field for field, *_ in struct._fields_], [match[1] or match[2] for match in members])

    def test_each_status_has_its_exception(self):
        text = (HEADERS / "deeplab.h").read_text()
        names = re.findall(r"^  DEEPLAB_(\w+) = \d+", re.search(r"enum deeplab_status {(.*?)}", text, re.S)[1], re.M)
        self.assertEqual([status.name for status in _c.Status], names)
        self.assertEqual(set(errors.BY_STATUS), set(names) - {"OK"})
        for status in list(_c.Status)[1:]:
            self.assertEqual(type(_c.error_of(status, "why")).status, status.name)


if __name__ == "__main__":
    unittest.main()
