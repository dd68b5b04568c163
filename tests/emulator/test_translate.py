"""The translation of CUDA sources: every form it knows, and that it refuses what it does not."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from building import HERE, SOURCES
from translate import TranslationError, translate


def body(text: str) -> str:
    """The translation without the line that names the file."""
    first, rest = translate(text, "some.cu").split("\n", 1)
    assert first == '#line 1 "some.cu"'
    return rest


# --- shared variables ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declaration", "type_", "name", "alignment"),
    [
        ("__shared__ int sum;", "int", "sum", "alignof(int)"),
        ("__shared__ A scratch[kScratch];", "A[kScratch]", "scratch", "alignof(A)"),
        ("__shared__ A tile[kRows][kColumns + 1];", "A[kRows][kColumns + 1]", "tile", "alignof(A)"),
        ("alignas(128) __shared__ uint4 data[kStages][4];", "uint4[kStages][4]", "data", "128"),
        ("__shared__ Packed<A, 4> staged[2];", "Packed<A, 4>[2]", "staged", "alignof(Packed<A, 4>)"),
        ("__shared__ math::Pixel pixels[2];", "math::Pixel[2]", "pixels", "alignof(math::Pixel)"),
        ("__shared__ A values[kValues<A>];", "A[kValues<A>]", "values", "alignof(A)"),
    ],
)
def test_a_shared_variable_lies_in_the_blocks_memory(
    declaration: str, type_: str, name: str, alignment: str
) -> None:
    assert body(declaration) == (
        f"static char {name}_key; using {name}_type = {type_};"
        f" {name}_type& {name} = ::emulator::static_shared<{name}_type>(&{name}_key, {alignment});"
    )


def test_dynamic_shared_memory_is_a_pointer() -> None:
    assert (
        body("extern __shared__ uint4 shared[];")
        == "uint4* const shared = ::emulator::dynamic_shared<uint4>();"
    )


@pytest.mark.parametrize(
    "declaration",
    [
        "__shared__ int a, b;",
        "__shared__ int a = 3;",
        "static __shared__\nint a[2];",
        "extern __shared__ uint4 *shared;",
        "__shared__ int* a;",
    ],
)
def test_a_shared_variable_in_another_form_is_refused(declaration: str) -> None:
    with pytest.raises(
        TranslationError, match=r"some\.cu: a __shared__ variable is declared in a form that is not known"
    ):
        translate(declaration, "some.cu")


# --- asm -----------------------------------------------------------------------------------------


def test_a_statement_with_outputs_and_inputs_is_a_call() -> None:
    text = 'asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(value));'
    assert body(text) == (
        '[&] { static const auto& instruction_ = ::emulator::decode("cvt.rna.tf32.f32 %0, %1;");'
        ' ::emulator::execute(instruction_, {::emulator::output("=r", rounded),'
        ' ::emulator::input("f", value)}); }();'
    )


def test_a_statement_without_outputs_or_operands_is_one_too() -> None:
    inputs = body('asm volatile("cp.async [%0];" ::"r"(address), "n"(kBytes) : "memory");')
    assert '{::emulator::input("r", address), ::emulator::input("n", kBytes)}' in inputs
    assert "execute(instruction_, {})" in body('asm volatile("cp.async.commit_group;" ::: "memory");')
    assert "execute(instruction_, {})" in body('asm("bar.sync 0;");')


def test_operands_may_hold_scopes_calls_brackets_and_strings() -> None:
    text = 'asm("x %0, %1;" : "+f"(sums[f(a, b)]) : "r"(math::place_of<T>(at, {1, 2}, ":,")), "l"(::g(1)));'
    translated = body(text)
    assert '::emulator::output("+f", sums[f(a, b)])' in translated
    assert '::emulator::input("r", math::place_of<T>(at, {1, 2}, ":,"))' in translated
    assert '::emulator::input("l", ::g(1))' in translated


def test_texts_in_several_strings_and_macros_stay_together() -> None:
    text = '#define M(name) \\\n  asm("mma." name \\\n      " %0;" : "+f"(sum))\nint behind;'
    translated = body(text)
    assert 'decode("mma." name " %0;")' in translated
    assert translated.split("\n")[3] == "int behind;"
    assert translated.split("\n")[1].endswith("\\")


@pytest.mark.parametrize("operand", ['"=&r"(x)', '[name] "r"(x)', '"r" x', '"rm"(x)'])
def test_an_operand_in_another_form_is_refused(operand: str) -> None:
    with pytest.raises(TranslationError, match=r"some\.cu: the operand .* of an asm statement is not known"):
        translate(f'asm("x %0;" : {operand});', "some.cu")


def test_a_bracket_that_is_not_closed_is_refused() -> None:
    with pytest.raises(TranslationError, match=r"some\.cu: a bracket is not closed"):
        translate('asm("x;" : "=r"(a)', "some.cu")


# --- words ---------------------------------------------------------------------------------------


def test_places_and_functions_of_formulas_are_calls() -> None:
    assert body("int i = threadIdx.x + blockIdx.x * blockDim.x;") == (
        "int i = ::emulator::threadIdx().x + ::emulator::blockIdx().x * ::emulator::blockDim().x;"
    )
    assert body("config.blockDim = dim3(2);") == "config.blockDim = dim3(2);"
    assert body("y = exp(x) + std::exp(x) + a.exp(x) + my_exp(x);") == (
        "y = ::emulator::counted::exp(x) + std::exp(x) + a.exp(x) + my_exp(x);"
    )


def test_the_operators_are_registered_for_cpu_tensors() -> None:
    assert (
        body("STABLE_TORCH_LIBRARY_IMPL(names, CUDA, library) {")
        == "STABLE_TORCH_LIBRARY_IMPL(names, CPU, library) {"
    )
    assert body("#if __CUDA_ARCH__ >= 900") == "#if EMULATOR_ARCHITECTURE >= 900"


def test_comments_and_strings_stay_as_they_are() -> None:
    text = '// threadIdx.x: __shared__ int x; exp(x)\nconst char* a = "blockIdx.x exp(x)";'
    assert body(text) == text


def test_lines_stay_where_they_are() -> None:
    text = 'asm("cp.async [%0],"\n  " 16;"\n  :\n  : "r"(a)\n  : "memory");\n\n__shared__ int s;\nlast();'
    translated = body(text)
    assert translated.count("\n") == text.count("\n")
    assert translated.split("\n")[7] == "last();"


# --- the command -----------------------------------------------------------------------------------


def test_all_sources_are_translated_and_those_that_stay_are_not_written_again(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, str(HERE / "translate.py"), str(SOURCES), str(tmp_path), "cuda", "math"]
    subprocess.run(command, check=True)
    written = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    expected = {
        pathlib.Path(folder, path.stem + (".cpp" if path.suffix == ".cu" else path.suffix))
        for folder in ("cuda", "math")
        for path in (SOURCES / folder).iterdir()
    }
    assert set(written) == expected
    subprocess.run(command, check=True)
    assert written == {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
