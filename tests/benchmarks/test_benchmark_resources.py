"""What ptxas says of kernels, and how many blocks fit on a multiprocessor by hand."""

from __future__ import annotations

import pathlib

import pytest

from benchmarks.resources import (
    MULTIPROCESSORS,
    TARGETS,
    Resources,
    compiled_kernels,
    count_divisions,
    kernel_name,
    parse_log,
    resident_blocks,
)

LOG = """\
ptxas info    : 28 bytes gmem
ptxas info    : Compiling entry function '_Z1fv' for 'sm_80'
ptxas info    : Function properties for _Z1fv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 160 bytes smem, 416 bytes cmem[0]
ptxas info    : Compiling entry function '_Z1gv' for 'sm_80'
ptxas info    : Function properties for _Z1gv
    8 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 255 registers, used 0 barriers, 416 bytes cmem[0]
ptxas info    : Compiling entry function '_Z1fv' for 'sm_90'
ptxas info    : Function properties for _Z1fv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 38 registers, used 1 barriers, 160 bytes smem
"""

PTX = """\
.visible .entry _Z1fv(
	.param .u64 a
)
{
	div.rn.f32 	%f1, %f2, %f3;
	@%p1 div.full.f32 	%f1, %f2, %f3;
	sqrt.rn.f64 	%fd1, %fd2;
	div.s64 	%rd1, %rd2, %rd3;
	mul.f32 	%f1, %f2, %f3;
}
.visible .entry _Z1gv(
)
{
	rcp.approx.ftz.f32 	%f1, %f2;
}
"""

# An nvcc that "compiles" any source: it writes the PTX and the log, for _Z1fv and all targets.
FAKE_NVCC = """\
#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    --keep-dir=*) keep="${argument#--keep-dir=}" ;;
    *.cu) stem=$(basename "$argument" .cu) ;;
  esac
done
printf '.visible .entry _Z1fv()\\n{\\n\\tdiv.rn.f32 %%f1;\\n}\\n' > "$keep/$stem.compute_90.ptx"
for target in sm_80 sm_90 sm_100; do
  echo "ptxas info : Compiling entry function '_Z1fv' for '$target'"
  echo "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"
  echo "ptxas info : Used 40 registers, used 1 barriers, 160 bytes smem"
done
"""


def test_the_log_of_ptxas_is_read_by_kernel_and_target() -> None:
    assert parse_log(LOG) == {
        "_Z1fv": {"sm_80": Resources(40, 160, 0), "sm_90": Resources(38, 160, 0)},
        "_Z1gv": {"sm_80": Resources(255, 0, 12)},
    }


def test_divisions_and_roots_of_floats_are_counted_and_of_integers_are_not() -> None:
    assert count_divisions(PTX) == {"_Z1fv": 3, "_Z1gv": 1}


@pytest.mark.parametrize(
    ("demangled", "name"),
    [
        ("void a::f<float, (a::E)1, 2>(a::X<float>, int*)", "a::f<float, (a::E)1, 2>"),
        ("void a::(anonymous namespace)::f<float>(void*)", "a::f<float>"),
        ("void f<(anonymous namespace)::X>(int)", "f<X>"),
        ("a::f()", "a::f"),
        ("a::f", "a::f"),
    ],
)
def test_a_kernel_has_one_name_however_it_was_compiled(demangled: str, name: str) -> None:
    assert kernel_name(demangled) == name


@pytest.mark.parametrize(
    ("target", "threads", "registers", "shared", "blocks"),
    [
        # 8 warps of 64; 32 registers a thread are 1024 a warp: 64 warps.
        ("sm_80", 256, 32, 0, 8),
        ("sm_90", 256, 32, 0, 8),
        ("sm_100", 256, 32, 0, 8),
        # 32 blocks, however small.
        ("sm_90", 32, 16, 0, 32),
        # 80 registers are 2560 a warp, 6 warps to a quarter of 16384: 24 warps, 4 blocks of 5.
        ("sm_90", 160, 80, 0, 4),
        # 33 registers are 1056, handed out as 1280: 12 warps to a quarter.
        ("sm_80", 512, 33, 0, 3),
        # 255 registers are 8192 a warp: 2 warps to a quarter.
        ("sm_100", 256, 255, 0, 1),
        ("sm_100", 512, 255, 0, 0),
        # 98656 bytes and 1024 of the system are 99712 in units of 128: one of 164 KB, two of 228 KB.
        ("sm_80", 512, 40, 98656, 1),
        ("sm_90", 512, 40, 98656, 2),
        ("sm_100", 512, 40, 98656, 2),
        # Exactly all: 227 KB of a block and 1 KB of the system; one byte more does not fit.
        ("sm_90", 128, 32, 227 * 1024, 1),
        ("sm_90", 128, 32, 227 * 1024 + 1, 0),
        ("sm_80", 128, 32, 163 * 1024, 1),
        ("sm_80", 128, 32, 227 * 1024, 0),
    ],
)
def test_resident_blocks(target: str, threads: int, registers: int, shared: int, blocks: int) -> None:
    found = resident_blocks(MULTIPROCESSORS[target], threads=threads, registers=registers, shared=shared)
    assert found == blocks


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "source" / "kernel.cu"
    path.parent.mkdir()
    path.write_text("__global__ void f() {}")
    return path


def put_nvcc(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    nvcc = folder / "cuda" / "bin" / "nvcc"
    nvcc.parent.mkdir(parents=True, exist_ok=True)
    nvcc.write_text(script)
    nvcc.chmod(0o755)
    monkeypatch.setenv("CUDA_HOME", str(folder / "cuda"))


def test_a_source_is_compiled_again_only_when_it_has_changed(
    source: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    put_nvcc(tmp_path, monkeypatch, FAKE_NVCC)
    found = compiled_kernels([source], cache)
    assert found["f"].divisions == 1
    assert found["f"].by_target == dict.fromkeys(TARGETS, Resources(40, 160, 0))
    (kept,) = cache.iterdir()

    put_nvcc(tmp_path, monkeypatch, "#!/bin/sh\nexit 1\n")
    assert compiled_kernels([source], cache) == found

    source.write_text("__global__ void f() { __syncthreads(); }")
    put_nvcc(tmp_path, monkeypatch, FAKE_NVCC)
    assert compiled_kernels([source], cache) == found
    (kept_now,) = cache.iterdir()
    assert kept_now.name != kept.name


def test_what_nvcc_says_is_passed_on_and_nothing_is_kept(
    source: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_nvcc(tmp_path, monkeypatch, "#!/bin/sh\necho 'kernel.cu(1): error: odd' >&2\nexit 2\n")
    with pytest.raises(
        RuntimeError, match=r"^nvcc does not compile kernel\.cu: kernel\.cu\(1\): error: odd$"
    ):
        compiled_kernels([source], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_without_nvcc_it_says_where_it_has_looked(
    source: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no nvcc on PATH nor in CUDA_HOME"):
        compiled_kernels([source], tmp_path / "cache")
