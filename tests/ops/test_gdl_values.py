"""Values and gradients against float64, for every option, mix of dtypes, shape and stride."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import ebgan_kernels as ek
from support.accuracy import assert_as_accurate_as_torch, assert_within_one_ulp
from support.gdl import CASES, FUNCTIONS, Case, torch_value_and_gradients, value_and_gradients
from support.implementations import device_of
from support.layouts import LAYOUTS

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
MIXES = [(HALF, HALF), (BRAIN, BRAIN), (BRAIN, SINGLE), (SINGLE, HALF), (HALF, BRAIN)]


def described(value: object) -> str:
    return (
        "x".join(str(part).removeprefix("torch.") for part in value)
        if isinstance(value, tuple)
        else str(value)
    )


def assert_close_to_float64(case: Case, inputs: list[torch.Tensor]) -> None:
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, DOUBLE)
    torch.testing.assert_close(value.double(), exact_value, rtol=2e-6, atol=1e-12)
    for x, gradient, exact in zip(inputs, gradients, exact_gradients, strict=True):
        assert gradient.dtype == x.dtype
        # Several terms may cancel, so what is left of their rounding is absolute.
        largest = float(exact.abs().max()) if exact.numel() else 0.0
        relative = max(2e-6, torch.finfo(x.dtype).eps) if x.dtype != SINGLE else 2e-6
        absolute = 2e-6 * largest + torch.finfo(x.dtype).smallest_normal * torch.finfo(x.dtype).eps
        torch.testing.assert_close(gradient.double(), exact, rtol=relative, atol=absolute)


@pytest.mark.few_in_interpreter(size=[(7, 9)])
@pytest.mark.parametrize("size", [(32, 48), (7, 9)], ids=described)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_results_are_as_accurate_as_pytorch(
    case: Case, size: tuple[int, int], implementation: ek.Backend
) -> None:
    if case.name == "multiscale_prediction_loss" and size == (7, 9):
        size = (6, 10)
    ours, torchs, exacts = [], [], []
    for seed in range(6):
        inputs = case.inputs(seed, size=size, device=device_of(implementation), grid=case.alpha == 1)
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


@pytest.mark.few_in_interpreter(dtypes=[(HALF, HALF), (BRAIN, SINGLE)])
@pytest.mark.parametrize("dtypes", MIXES, ids=described)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_gradients_are_within_one_unit_in_the_last_place(
    case: Case, dtypes: tuple[torch.dtype, torch.dtype], implementation: ek.Backend
) -> None:
    inputs = case.inputs(size=(12, 20), dtypes=dtypes, device=device_of(implementation))
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, DOUBLE)
    assert value.dtype == SINGLE
    torch.testing.assert_close(value.double(), exact_value, rtol=1e-6, atol=0)
    for x, gradient, exact in zip(inputs, gradients, exact_gradients, strict=True):
        assert gradient.dtype == x.dtype
        if x.dtype != SINGLE:
            # What cancels to less than a ten thousandth of the largest is float32's rounding, not this one.
            whole = exact.abs() > 1e-4 * exact.abs().max()
            assert_within_one_ulp(gradient[whole], exact[whole])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_is_computed_in_float64(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(dtypes=(DOUBLE, DOUBLE), device=device_of(implementation), grid=False)
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, DOUBLE)
    torch.testing.assert_close([value, *gradients], [exact_value, *exact_gradients], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("target_layout", LAYOUTS)
@pytest.mark.parametrize("prediction_layout", LAYOUTS)
def test_every_pair_of_layouts_gives_the_same_result(
    prediction_layout: str, target_layout: str, implementation: ek.Backend
) -> None:
    for case in FUNCTIONS:
        *predictions, target = case.inputs(device=device_of(implementation))
        placed = [LAYOUTS[prediction_layout](x) for x in predictions] + [LAYOUTS[target_layout](target)]
        assert_close_to_float64(case, [x.detach().requires_grad_() for x in placed])


@pytest.mark.few_in_interpreter(leading=[(), (3,), (2, 5, 3)])
@pytest.mark.parametrize("leading", [(), (3,), (2, 5, 3), (300,)], ids=str)
def test_axes_before_the_spatial_ones_are_free(leading: tuple[int, ...], implementation: ek.Backend) -> None:
    for case in (*FUNCTIONS, Case(spatial_dims=3)):
        assert_close_to_float64(case, case.inputs(leading=leading, device=device_of(implementation)))


@pytest.mark.few_in_interpreter(size=[(2, 2), (2, 3000), (1500, 2)])
@pytest.mark.parametrize("size", [(2, 2), (2, 3000), (1500, 2), (260, 130), (66, 1030)], ids=described)
def test_narrow_wide_and_tall_images(size: tuple[int, int], implementation: ek.Backend) -> None:
    for case in (Case(p=2, alpha=2.0), Case(spatial_dims=3)):
        assert_close_to_float64(case, case.inputs(leading=(2,), size=size, device=device_of(implementation)))


def test_any_shape_layout_and_mix_of_dtypes(implementation: ek.Backend) -> None:
    pytest.importorskip("hypothesis")
    from hypothesis import given
    from hypothesis import strategies as st

    dtype = st.sampled_from([HALF, BRAIN, SINGLE])
    layout = st.sampled_from(sorted(LAYOUTS))

    @given(
        case=st.sampled_from(CASES),
        leading=st.lists(st.integers(1, 3), min_size=2, max_size=3),
        half_size=st.tuples(st.integers(2, 12), st.integers(2, 20)),
        odd=st.booleans(),
        dtypes=st.tuples(dtype, dtype),
        layouts=st.tuples(layout, layout),
        seed=st.integers(0, 99),
    )
    def check(
        case: Case,
        leading: list[int],
        half_size: tuple[int, int],
        odd: bool,
        dtypes: tuple[torch.dtype, torch.dtype],
        layouts: tuple[str, str],
        seed: int,
    ) -> None:
        whole = case.name == "multiscale_prediction_loss"
        size = [2 * length - (odd and not whole) for length in half_size]
        *predictions, target = case.inputs(
            seed, leading=leading, size=size, dtypes=dtypes, device=device_of(implementation)
        )
        placed = [LAYOUTS[layouts[0]](x) for x in predictions] + [LAYOUTS[layouts[1]](target)]
        assert_close_to_float64(case, [x.detach().requires_grad_() for x in placed])

    check()


def test_a_weight_scales_its_term(implementation: ek.Backend) -> None:
    inputs = Case().inputs(device=device_of(implementation))
    alone = [
        dataclasses.replace(Case(), lp_weight=lp, gdl_weight=gdl)(inputs)
        for lp, gdl in ((1.0, 0.0), (0.0, 1.0))
    ]
    torch.testing.assert_close(Case(lp_weight=0.5, gdl_weight=3.0)(inputs), 0.5 * alone[0] + 3 * alone[1])
