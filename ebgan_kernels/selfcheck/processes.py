"""Runs the cases of an implementation in a separate process.

A kernel may end its process, leave the GPU in a state in which every later call fails, or never return. Then
its case has failed, and a new process goes on with the next one.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

import torch

from ebgan_kernels.backends import Backend, device_of
from ebgan_kernels.selfcheck.case import Case
from ebgan_kernels.selfcheck.run import Row, check, float32_as_it_is, unchecked_row

# The time limit of a case. The first case of a process imports torch and starts the GPU, and Triton compiles
# the kernels of every case.
CASE_SECONDS = 120.0


def rows_of(implementation: Backend, cases: Sequence[Case]) -> Iterator[Row]:
    """Yields a row for each case, in their order, each as soon as it is known."""
    context = multiprocessing.get_context("spawn")
    left = list(cases)
    while left:
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(sending, implementation, left), daemon=True)
        process.start()
        sending.close()
        try:
            while left:
                if not receiving.poll(CASE_SECONDS):
                    yield unchecked_row(
                        left.pop(0), implementation, "FAILED", f"it did not end within {CASE_SECONDS:g} s"
                    )
                    break
                try:
                    row: Row | None = receiving.recv()
                except EOFError:
                    process.join()
                    yield unchecked_row(left.pop(0), implementation, "FAILED", _ending(process.exitcode))
                    break
                if row is None:
                    break
                left.pop(0)
                yield row
        finally:
            process.kill()
            process.join()
            receiving.close()


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"it ended its process by signal {signal.Signals(-exit_code).name}"
    return f"it ended its process with status {exit_code}"


def _work(rows: Connection, implementation: Backend, cases: Sequence[Case]) -> None:
    """Sends a row for each case, and None where the next cases need another process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends this process
    with float32_as_it_is():
        for case in cases:
            row = check(case, implementation)
            rows.send(row)
            if row.outcome != "passed" and not _device_answers(device_of(implementation)):
                rows.send(None)
                return


def _device_answers(device: torch.device) -> bool:
    """Whether the device still computes; after an illegal access CUDA refuses all work of the process."""
    try:
        return bool(torch.ones(2, device=device).sum().item() == 2)
    except RuntimeError:
        return False
