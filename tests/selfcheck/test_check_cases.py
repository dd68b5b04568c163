"""What the self-check covers: nothing that is public is forgotten."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.selfcheck.case import Case
from ebgan_kernels.selfcheck.cases import CASES
from ebgan_kernels.selfcheck.run import SIMULATED_ELEMENTS

CPU = torch.device("cpu")
NO_OPERATORS = {"backend", "backend_report"}
OPERATORS = sorted(
    name for name in ek.__all__ if inspect.isfunction(getattr(ek, name)) and name not in NO_OPERATORS
)


def cases_of(operator: str) -> Iterator[Case]:
    return (case for case in CASES if case.operator == operator)


def elements(case: Case) -> int:
    return sum(x.numel() for x in case.tensors(0, CPU))


def test_every_public_operator_is_checked() -> None:
    assert sorted({case.operator for case in CASES}) == OPERATORS


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_checked_in_every_precision_also_where_kernels_are_simulated(operator: str) -> None:
    first_dtypes = {case.dtypes[0] for case in cases_of(operator) if elements(case) <= SIMULATED_ELEMENTS}
    assert {torch.float32, torch.float64} <= first_dtypes
    assert first_dtypes & {torch.float16, torch.bfloat16}


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_option_of_an_operator_is_checked(operator: str) -> None:
    options = {
        name
        for name, parameter in inspect.signature(getattr(ek, operator)).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    # A group needs other processes. Weights only multiply: their kernels are those of weight 1.
    unchecked = {"group", "lp_weight", "gdl_weight", "pulling_away_weight"}
    given = {name for case in cases_of(operator) for name in (*case.options, *case.names)}
    assert options - unchecked <= given


def test_every_value_of_an_option_is_checked() -> None:
    def values(name: str) -> set[object]:
        return {case.options[name] for case in CASES if name in case.options}

    assert values("distance") == {"l2", "squared_l2", "mse", "l1"}
    assert values("alpha") >= {1.0, 2.0, 1.5}
    assert values("p") == {1, 2}
    # The defaults need not be given.
    assert values("activation") | {"none"} == {"none", "relu", "leaky_relu", "tanh"}
    assert values("shaping") | {"identity"} == {"identity", "square"}
    assert values("reduction") | {"mean"} == {"mean", "sum", "none"}
    assert values("spatial_dims") | {2} == {2, 3}


def test_rows_of_a_table_can_be_told_apart() -> None:
    names = [(case.operator, case.inputs_in_words, case.dtypes_in_words) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_case_is_the_same_in_another_process(operator: str) -> None:
    for case in cases_of(operator):
        again = pickle.loads(pickle.dumps(case))
        if elements(case) <= SIMULATED_ELEMENTS:
            assert all(map(torch.equal, again.tensors(1, CPU), case.tensors(1, CPU)))
        assert (again.operator, again.options, again.dtypes) == (case.operator, case.options, case.dtypes)


def test_layouts_are_what_they_are_called() -> None:
    for case in CASES:
        if case.layout == "contiguous":
            continue
        for tensor in case.tensors(0, CPU):
            if case.layout == "misaligned":
                assert tensor.data_ptr() % 16 == tensor.element_size() and tensor.is_contiguous()
            elif tensor.dim() == 4:
                assert tensor.is_contiguous(memory_format=torch.channels_last)
