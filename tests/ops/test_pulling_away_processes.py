"""Process groups: the shares of two give the term of the whole batch, and DDP's average its gradient."""

from __future__ import annotations

import pathlib
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

import ebgan_kernels as ek

PROCESSES = 2
# (rows of the global batch, features): gathered codes, summed Gram matrices, and a share of one sample.
SHAPES = [(6, 8), (12, 3), (2, 5)]


def _codes(shape: tuple[int, int]) -> Tensor:
    codes = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    if len(codes) > 2:
        codes[1] = 0
    return codes


def _derivatives(codes: Tensor, group: dist.ProcessGroup | None) -> list[Tensor]:
    """The term and its gradient, which is the same where it is differentiated again."""
    codes = codes.detach().requires_grad_()
    loss = ek.pulling_away(codes, group=group)
    (plain,) = torch.autograd.grad(2 * loss, codes, retain_graph=True)
    (recorded,) = torch.autograd.grad(2 * loss, codes, create_graph=True)
    torch.testing.assert_close(plain, recorded)
    return [loss.detach(), plain]


def _process(rank: int, folder: str, implementation: ek.Backend) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", PROCESSES)
    patience = timedelta(minutes=1)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=PROCESSES, timeout=patience)
    try:
        group = dist.group.WORLD
        alone = [dist.new_group([member]) for member in range(PROCESSES)]
        results = {}
        with ek.backend(implementation):
            for shape in SHAPES:
                share = _codes(shape).chunk(PROCESSES)[rank]
                results[shape] = _derivatives(share, group)
                generator_loss = ek.EBGANGeneratorLoss(pulling_away_weight=0.5, group=group)
                torch.testing.assert_close(generator_loss(share, share, share), 0.5 * results[shape][0])
            own = _codes((6, 8)).chunk(PROCESSES)[rank]
            torch.testing.assert_close(_derivatives(own, alone[rank]), _derivatives(own, None))
            with pytest.raises(ValueError, match=f"codes has {3 + 2 * rank} rows here, .* from 3 to 5; give"):
                ek.pulling_away(_codes((8, 8))[: 3 + 2 * rank], group=group)
            with pytest.raises(ValueError, match="group does not contain this process"):
                ek.pulling_away(own, group=alone[1 - rank])
        torch.save(results, f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not dist.is_gloo_available(), reason="torch is built without gloo")
@pytest.mark.parametrize("implementation", ["reference", "cpu"])
def test_two_processes_give_the_value_of_one_and_gradients_that_ddp_averages_to_its(
    implementation: ek.Backend, tmp_path: pathlib.Path
) -> None:
    torch.multiprocessing.spawn(_process, (str(tmp_path), implementation), PROCESSES)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(PROCESSES)]
    for shape in SHAPES:
        loss, gradient = _derivatives(_codes(shape), None)
        torch.testing.assert_close([results[shape][0] for results in found], [loss] * PROCESSES)
        of_processes = torch.cat([results[shape][1] for results in found])
        torch.testing.assert_close(of_processes / PROCESSES, gradient)
