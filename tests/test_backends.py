"""The choice of implementation: what is taken by default, what insisting means, and how long it holds."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading

import pytest
import torch

import ebgan_kernels as ek
from support.implementations import OperatorLog, missing
from support.losses import images

CPU_TENSORS = images()[2:]


def kernels_run(reconstruction: torch.Tensor, target: torch.Tensor) -> bool:
    with OperatorLog() as log:
        ek.generator_loss(reconstruction, target)
    return "ebgan_kernels.energy_loss" in log.names


def test_the_cpu_library_is_compiled_where_the_tests_run() -> None:
    assert missing("cpu") == ""  # else every test of it would skip


def test_the_compiled_library_is_the_default_on_the_cpu_and_the_reference_if_insisted_on() -> None:
    assert kernels_run(*CPU_TENSORS)
    with ek.backend("reference"):
        assert not kernels_run(*CPU_TENSORS)
    assert kernels_run(*CPU_TENSORS)


def test_a_step_compiled_for_the_cpu_takes_the_reference_unless_kernels_are_insisted_on() -> None:
    graphs = []

    def keep(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph.print_readable(print_output=False))
        return graph

    compiled = torch.compile(ek.generator_loss, fullgraph=True, backend=keep)
    compiled(*CPU_TENSORS)
    with ek.backend("cpu"):
        compiled(*CPU_TENSORS)
    by_default, insisted = graphs
    assert "torch.ops.ebgan_kernels" not in by_default
    assert "torch.ops.ebgan_kernels.energy_loss" in insisted


def test_a_compiled_step_keeps_the_kernel_of_the_operator_that_its_reference_is_slower_than() -> None:
    graphs = []

    def keep(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph.print_readable(print_output=False))
        return graph

    compiled = torch.compile(lambda x: ek.ladder_layer(x).z, fullgraph=True, backend=keep)
    compiled(torch.rand(2, 3, 4))
    with ek.backend("reference"):
        compiled(torch.rand(2, 3, 4))
    by_default, insisted = graphs
    assert "torch.ops.ebgan_kernels.ladder_layer" in by_default
    assert "torch.ops.ebgan_kernels" not in insisted


def test_other_devices_fall_back_to_the_reference() -> None:
    assert not kernels_run(*(image.to("meta") for image in CPU_TENSORS))


def test_the_choice_ends_with_its_block_even_by_an_exception() -> None:
    with pytest.raises(KeyError), ek.backend("reference"):
        raise KeyError
    assert kernels_run(*CPU_TENSORS)


def test_the_innermost_choice_holds() -> None:
    with ek.backend("cpu"):
        with ek.backend("reference"):
            assert not kernels_run(*CPU_TENSORS)
        assert kernels_run(*CPU_TENSORS)


def test_the_choice_is_the_threads_own() -> None:
    seen = []
    with ek.backend("reference"):
        thread = threading.Thread(target=lambda: seen.append(kernels_run(*CPU_TENSORS)))
        thread.start()
        thread.join()
    assert seen == [True]


def test_backward_uses_the_choice_of_its_forward() -> None:
    with ek.backend("cpu"):
        loss = ek.generator_loss(CPU_TENSORS[0].clone().requires_grad_(), CPU_TENSORS[1])
    with ek.backend("reference"), OperatorLog() as log:
        loss.backward(torch.tensor(-1.0))  # one of 1 leaves the stored gradients as they are
    assert "ebgan_kernels.scale_gradients_" in log.names


@pytest.mark.parametrize("name", ["cuda", "triton"])
def test_insisting_on_what_cannot_run_raises_and_says_why(name: ek.Backend) -> None:
    if name == "triton" and os.environ.get("TRITON_INTERPRET") == "1":
        pytest.skip("the interpreter takes CPU tensors")
    with ek.backend(name), pytest.raises(RuntimeError) as caught:
        ek.generator_loss(*CPU_TENSORS)
    message = str(caught.value)
    assert f"backend '{name}' was requested but cannot run: " in message and "\n" not in message
    assert "CUDA" in message


def test_the_report_names_every_implementation_and_gives_a_reason_for_each_that_is_missing() -> None:
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in ek.backend_report().splitlines()}
    for name in ek.BACKENDS:
        state, _, reason = lines[name].partition(": ")
        assert state in ("available", "missing") and reason
        assert (missing(name) == "") == (state == "available")
    with ek.backend("reference"):
        assert any(line.split() == ["requested", "reference"] for line in ek.backend_report().splitlines())


def run_with(environment: str, code: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "EBGAN_KERNELS_BACKEND": environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)


def test_the_environment_insists() -> None:
    code = "import torch, ebgan_kernels as ek; ek.generator_loss(torch.zeros(1, 2), torch.zeros(1, 2))"
    assert run_with("reference", code).returncode == 0
    refused = run_with("cuda", code)
    assert refused.returncode != 0
    assert "backend 'cuda' was requested but cannot run" in refused.stderr.splitlines()[-1]


def test_an_unknown_name_in_the_environment_is_an_error_at_import() -> None:
    refused = run_with("gpu", "import ebgan_kernels")
    assert refused.returncode != 0
    assert "EBGAN_KERNELS_BACKEND is 'gpu'; it must be one of 'reference'" in refused.stderr.splitlines()[-1]


def test_an_emulator_that_is_not_there_is_one_line_with_a_remedy(tmp_path: pathlib.Path) -> None:
    code = "import ebgan_kernels as ek; print(ek.backend_report())"
    variables = {**os.environ, "EBGAN_KERNELS_EMULATE_CUDA": str(tmp_path / "nothing.so")}
    command = [sys.executable, "-c", code]
    report = subprocess.run(command, env=variables, capture_output=True, text=True, check=True, timeout=120)
    line = next(line for line in report.stdout.splitlines() if line.startswith("cuda "))
    assert "missing: not compiled (nothing.so is not in " in line and "make emulator" in line


def test_nothing_is_emulated_unless_the_environment_asks_for_it() -> None:
    code = "from ebgan_kernels.native import library; print(library.cuda_is_emulated)"
    variables = {name: value for name, value in os.environ.items() if name != "EBGAN_KERNELS_EMULATE_CUDA"}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.split() == ["False"]
