"""Copies the CUDA sources so that a C++ compiler takes them, keeping every line where it was.

    python translate.py SOURCE_DIR OUTPUT_DIR FOLDER...

CUDA C++ is mostly C++ once headers give meaning to its words (`include/`). The rest is rewritten:

    __shared__ A scratch[kScratch];   -> a reference into the block's shared memory
    extern __shared__ uint4 data[];   -> a pointer to the block's dynamic shared memory
    asm("mma..." : "+f"(x) : "r"(y))  -> a call that interprets the PTX with these operands
    STABLE_TORCH_LIBRARY_IMPL(.., CUDA, ..)  -> the same for the dispatch key CPU
    threadIdx, blockIdx, ...          -> a call: the host's launch configuration has members of these names
    __CUDA_ARCH__                     -> EMULATOR_ARCHITECTURE, since torch's headers ask for the former
    exp(x), and other functions of a formula -> a call that can be counted
"""

from __future__ import annotations

import argparse
import pathlib
import re
from collections.abc import Callable

SUFFIXES = (".cu", ".cuh", ".h")
# Functions that a GPU takes many instructions for; `counted.h` has one of each name.
COUNTED = ("exp", "log", "log1p", "pow", "sqrt", "tanh")

_DYNAMIC = re.compile(r"extern __shared__ (?P<type>[\w:]+) (?P<name>\w+)\[\];")
_STATIC = re.compile(
    r"(?:alignas\((?P<align>\d+)\) )?__shared__ (?P<type>[\w: ]+?(?:<[\w:<>, ]+>)?)"
    r" (?P<name>\w+)(?P<extents>(?:\[[^;]*\])?);"
)
_ASM = re.compile(r"\basm(?: volatile)?\(")
_LIBRARY = re.compile(r"STABLE_TORCH_LIBRARY_IMPL\((\w+), CUDA, (\w+)\)")
_COUNTED = re.compile(rf"(?<![\w.:])({'|'.join(COUNTED)})\(")
_PLACE = re.compile(r"(?<![\w.])(threadIdx|blockIdx|blockDim|gridDim)\b")
_OPERAND = re.compile(r'\s*"(?P<constraint>[=+]?[a-z])"\s*\((?P<expression>.*)\)\s*', re.DOTALL)
_SCOPE = re.compile(r"::\s*[A-Za-z_]")
_COMMENT_OR_STRING = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"')


class TranslationError(ValueError):
    """A construct of the sources is not one that the translation knows."""


def translate(text: str, name: str) -> str:
    """A source as a C++ compiler takes it; `name` is what the errors and the compiler call the file."""
    translated = _rewrite_asm(text, name)
    translated = _outside_comments(translated, _rewrite_declarations)
    if "__shared__" in _outside_comments(translated, lambda code: code, keep=False):
        raise TranslationError(f"{name}: a __shared__ variable is declared in a form that is not known")
    translated = translated.replace("__CUDA_ARCH__", "EMULATOR_ARCHITECTURE")
    translated = _LIBRARY.sub(r"STABLE_TORCH_LIBRARY_IMPL(\1, CPU, \2)", translated)
    if translated.count("\n") != text.count("\n"):
        raise TranslationError(f"{name}: the translation has moved lines")
    return f'#line 1 "{name}"\n{translated}'


def _rewrite_declarations(code: str) -> str:
    code = _DYNAMIC.sub(r"\g<type>* const \g<name> = ::emulator::dynamic_shared<\g<type>>();", code)
    code = _STATIC.sub(_static_shared, code)
    code = _PLACE.sub(r"::emulator::\1()", code)
    return _COUNTED.sub(r"::emulator::counted::\1(", code)


def _static_shared(match: re.Match[str]) -> str:
    type_, name, extents = match["type"], match["name"], match["extents"]
    alignment = match["align"] or f"alignof({type_})"
    return (
        f"static char {name}_key; using {name}_type = {type_}{extents};"
        f" {name}_type& {name} = ::emulator::static_shared<{name}_type>(&{name}_key, {alignment});"
    )


def _outside_comments(text: str, rewrite: Callable[[str], str], keep: bool = True) -> str:
    """Rewrites the code between comments and strings; without `keep`, leaves those out."""
    parts, end = [], 0
    for match in _COMMENT_OR_STRING.finditer(text):
        parts += [rewrite(text[end : match.start()]), match[0] if keep else ""]
        end = match.end()
    return "".join([*parts, rewrite(text[end:])])


def _rewrite_asm(text: str, name: str) -> str:
    parts, end = [], 0
    for match in _ASM.finditer(text):
        if match.start() < end:
            continue
        close = _closing(text, match.end() - 1, name)
        parts += [text[end : match.start()], _call(text[match.end() : close], name)]
        end = close + 1
    return "".join([*parts, text[end:]])


def _closing(text: str, opening: int, name: str) -> int:
    """The index of the bracket that closes the one at `opening`; brackets in strings do not count."""
    depth, at = 0, opening
    while at < len(text):
        if text[at] == '"':
            at = _end_of_string(text, at)
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
        at += 1
    raise TranslationError(f"{name}: a bracket is not closed")


def _end_of_string(text: str, start: int) -> int:
    at = start + 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators outside of brackets, strings and names such as a::b."""
    parts, depth, begin, at = [], 0, 0, 0
    while at < len(text):
        if text[at] == '"':
            at = _end_of_string(text, at)
        elif _SCOPE.match(text, at):
            at += 1
        elif depth == 0 and text[at] == separator:
            parts.append(text[begin:at])
            begin = at + 1
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[at], 0)
        at += 1
    return [*parts, text[begin:]]


def _call(arguments: str, name: str) -> str:
    template, *sections = _split(arguments, ":")
    operands = []
    for section, kind in zip(sections, ("output", "input"), strict=False):
        for operand in _split(section, ","):
            if not operand.strip(" \n\\"):
                continue
            match = _OPERAND.fullmatch(operand.strip(" \n\\"))
            if match is None:
                raise TranslationError(
                    f"{name}: the operand {operand.strip()!r} of an asm statement is not known"
                )
            operands.append(f'::emulator::{kind}("{match["constraint"]}", {match["expression"]})')
    # The lines of the statement stay, for messages of the compiler.
    line = "\\\n" if "\\\n" in arguments else "\n"
    text = " ".join(template.replace("\\\n", " ").split())
    return (
        f"[&] {{ static const auto& instruction_ = ::emulator::decode({text});"
        f" ::emulator::execute(instruction_, {{{', '.join(operands)}}}); }}()" + line * arguments.count("\n")
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=pathlib.Path, help="the folder that holds the FOLDERs")
    parser.add_argument(
        "output", type=pathlib.Path, help="the folder to write; a file that would not change is left"
    )
    parser.add_argument("folders", nargs="+", help="names of folders in both, such as cuda and math")
    options = parser.parse_args()
    for folder in options.folders:
        for path in sorted((options.source / folder).iterdir()):
            if path.suffix not in SUFFIXES:
                continue
            translated = translate(path.read_text(), str(path.resolve()))
            suffix = ".cpp" if path.suffix == ".cu" else path.suffix
            target = options.output / folder / f"{path.stem}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file() or target.read_text() != translated:
                target.write_text(translated)


if __name__ == "__main__":
    main()
