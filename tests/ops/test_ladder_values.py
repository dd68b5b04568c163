"""Values and gradients against float64, for every shape, mix of dtypes and stride."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.accuracy import assert_as_accurate_as_torch, error_in_ulp
from support.implementations import device_of
from support.ladder import (
    CASES,
    COMBINATOR,
    COST,
    FUNCTIONS,
    Case,
    assert_close_to_float64,
    torch_value_and_gradients,
    value_and_gradients,
)

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
MIXES = [(HALF, HALF), (BRAIN, BRAIN), (BRAIN, SINGLE), (SINGLE, HALF), (HALF, BRAIN)]


@pytest.mark.parametrize(("rows", "units"), [(100, 784), (7, 9)], ids=str)
@pytest.mark.parametrize("case", CASES[::3], ids=str)
def test_results_are_as_accurate_as_pytorch(
    case: Case, rows: int, units: int, implementation: ek.Backend
) -> None:
    ours, torchs, exacts = [], [], []
    for seed in range(3):
        inputs = case.inputs(seed, rows=rows, units=units, device=device_of(implementation))
        for results, (value, gradients) in (
            (ours, value_and_gradients(case, inputs)),
            (torchs, torch_value_and_gradients(case, inputs, SINGLE)),
            (exacts, torch_value_and_gradients(case, inputs, DOUBLE)),
        ):
            results.append([value, *gradients])
    assert ours[0][0].dtype == SINGLE
    for results in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        # Where the terms of an element's gradient cancel, the digits that are left say nothing.
        whole = [exact.abs() >= 0.1 * exact.abs().max() for exact in results[2]]
        kept = [[tensor[w] for tensor, w in zip(tensors, whole, strict=True)] for tensors in results]
        assert_as_accurate_as_torch(*kept)


@pytest.mark.parametrize("dtypes", MIXES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_results_are_within_one_unit_in_the_last_place(
    case: Case, dtypes: tuple[torch.dtype, torch.dtype], implementation: ek.Backend
) -> None:
    inputs = case.inputs(rows=9, units=20, dtypes=dtypes, device=device_of(implementation))
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, DOUBLE)
    assert case.name == COMBINATOR or value.dtype == SINGLE
    for ours, exact in zip((value, *gradients), (exact_value, *exact_gradients), strict=True):
        if ours.dtype == SINGLE:
            torch.testing.assert_close(ours.double(), exact, rtol=1e-5, atol=2e-6 * exact.abs().max().item())
        else:
            # What cancels to less than a hundredth of the largest is float32's rounding, not this one.
            whole = exact.abs() > 1e-2 * exact.abs().max()
            assert error_in_ulp(ours[whole], exact[whole]).max() <= 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_is_computed_in_float64(case: Case, implementation: ek.Backend) -> None:
    assert_close_to_float64(
        case, case.inputs(rows=9, units=35, dtypes=(DOUBLE, DOUBLE), device=device_of(implementation))
    )


# The training step takes halves of a joint batch, rows of a wider matrix, and statistics of several layers.
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "second_half_of_the_rows": lambda x: torch.cat([torch.zeros_like(x), x], -2)[..., x.shape[-2] :, :],
    "part_of_the_units": lambda x: torch.cat([x, torch.zeros_like(x)], -1)[..., : x.shape[-1]],
    "every_second_unit": lambda x: x.repeat_interleave(2, -1)[..., ::2],
    "units_first": lambda x: x.mT.contiguous().mT if x.dim() > 1 else x,
    "networks_last": lambda x: x.movedim(0, -1).contiguous().movedim(-1, 0),
    "one_row_expanded": lambda x: x[..., :1, :].expand_as(x),
    "storage_offset": lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_stride_gives_the_same_result(case: Case, layout: str, implementation: ek.Backend) -> None:
    inputs = [x.detach() for x in case.inputs(device=device_of(implementation))]
    for changed in range(len(inputs)):
        placed = [LAYOUTS[layout](x) if i == changed and x.dim() > 1 else x for i, x in enumerate(inputs)]
        assert_close_to_float64(case, [x.detach().requires_grad_() for x in placed])


@pytest.mark.parametrize("leading", [(5,), (2, 1, 3)], ids=str)
@pytest.mark.parametrize("name", [COST, COMBINATOR])
def test_networks_side_by_side_equal_networks_apart(
    name: str, leading: tuple[int, ...], implementation: ek.Backend
) -> None:
    case = Case(name, leading)
    inputs = case.inputs(device=device_of(implementation))
    value, gradients = value_and_gradients(case, inputs)
    weights = (torch.arange(value.numel(), device=value.device) % 7 - 2).to(value.dtype).view(value.shape) / 4
    for index in torch.cartesian_prod(*map(torch.arange, leading)).reshape(-1, len(leading)).tolist():
        at = tuple(index)
        alone = [x.detach()[at].requires_grad_() for x in inputs]
        result = Case(name)(alone)
        torch.testing.assert_close(result, value[at])
        found = torch.autograd.grad(result, alone, weights[at])
        torch.testing.assert_close(found, tuple(gradient[at] for gradient in gradients))


@pytest.mark.parametrize(
    ("rows", "units"), [(1, 1), (1, 300), (2, 15), (64, 16), (65, 17), (300, 3)], ids=str
)
def test_few_and_many_rows_and_units(rows: int, units: int, implementation: ek.Backend) -> None:
    for case in FUNCTIONS:
        assert_close_to_float64(case, case.inputs(rows=rows, units=units, device=device_of(implementation)))


@pytest.mark.parametrize("size", [1.0, 30.0, 80.0, 300.0])
def test_sigmoids_near_and_far(size: float, implementation: ek.Backend) -> None:
    # From their slopes to where exp underflows, both ways.
    for case in FUNCTIONS:
        inputs = case.inputs(units=16, device=device_of(implementation))
        with torch.no_grad():
            inputs[-1 if case.name == COMBINATOR else 3][..., [1, 6], :] *= size
        assert_close_to_float64(case, inputs)


def test_any_shape_and_mix_of_dtypes(implementation: ek.Backend) -> None:
    pytest.importorskip("hypothesis")
    from hypothesis import given
    from hypothesis import strategies as st

    dtype = st.sampled_from([HALF, BRAIN, SINGLE])

    @given(
        name=st.sampled_from([COST, COMBINATOR]),
        leading=st.lists(st.integers(1, 3), max_size=2),
        # In fewer elements all terms may cancel.
        rows=st.integers(3, 70),
        units=st.integers(4, 40),
        dtypes=st.tuples(dtype, dtype),
        seed=st.integers(0, 99),
    )
    def check(
        name: str,
        leading: list[int],
        rows: int,
        units: int,
        dtypes: tuple[torch.dtype, torch.dtype],
        seed: int,
    ) -> None:
        case = Case(name, tuple(leading))
        assert_close_to_float64(
            case,
            case.inputs(seed, rows=rows, units=units, dtypes=dtypes, device=device_of(implementation)),
        )

    check()
