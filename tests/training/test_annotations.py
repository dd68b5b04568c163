"""Every field of every configuration that has a list of values takes no other."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal, get_type_hints

import pytest

from ebgan import UserError, gan, ladder, video
from ebgan.training import Help, TrainingConfig
from ebgan.training.annotations import choices, fits

CONFIGS = (gan.preset("digits"), ladder.preset(), video.preset())
FIELDS = [
    pytest.param(config, name, id=f"{type(config).__name__}-{name}")
    for config in CONFIGS
    for name, annotation in get_type_hints(type(config)).items()
    if choices(annotation)
]
Side = Literal["left", "right"]


@dataclass(frozen=True, kw_only=True)
class Choosy(TrainingConfig):
    """A configuration with Literals wherever an annotation can hold them."""

    side: Annotated[Side, Help("a plain one")] = "left"
    maybe: Annotated[Side | None, Help("one that may be left out")] = None
    count: Annotated[Literal[1, 2] | Literal["all"], Help("one of several types")] = "all"
    nested: Annotated[Annotated[Side, "inner"] | Literal[3] | None, Help("annotated twice")] = 3
    anything: Annotated[str, Help("none")] = "up"


@pytest.mark.parametrize(("config", "name"), FIELDS)
@pytest.mark.parametrize("wrong", ["no such value", 3.5, True, ["a"]])
def test_a_value_that_is_not_listed_is_refused(config, name, wrong):
    if fits(wrong, get_type_hints(type(config))[name]):
        pytest.skip("a number, which the field takes beside its words")
    with pytest.raises(UserError, match=rf"^{name}: got .*, allowed are ") as error:
        dataclasses.replace(config, **{name: wrong})
    assert "\n" not in str(error.value)


def test_the_precision_of_every_system_is_among_the_fields_that_are_checked():
    found = {parameter.id for parameter in FIELDS}
    assert {f"{type(config).__name__}-precision" for config in CONFIGS} <= found and len(found) > 10


def choosy(**changes: object) -> Choosy:
    return Choosy(**{"steps": 1, "batch_size": 1} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "right"},
        {"maybe": "left"},
        {"maybe": None},
        {"count": 2},
        {"nested": None},
        {"nested": "left"},
    ],
)
def test_every_listed_value_is_taken_also_within_unions(changes):
    ((name, value),) = changes.items()
    assert getattr(choosy(**changes), name) == value


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"side": None}, "left, right"),
        ({"maybe": "up"}, "left, right"),
        ({"count": 3}, "1, 2, all"),
        ({"count": 1.0}, "1, 2, all"),
        ({"count": True}, "1, 2, all"),
        ({"nested": "up"}, "left, right, 3"),
    ],
)
def test_any_other_value_is_told_what_is_listed(changes, allowed):
    ((name, value),) = changes.items()
    with pytest.raises(UserError) as error:
        choosy(**changes)
    assert str(error.value) == f"{name}: got {value!r}, allowed are {allowed}"


@pytest.mark.parametrize(
    ("value", "annotation", "right"),
    [(1, float, True), (True, float, False), (True, int, False), (None, int | None, True), ("1", int, False)],
)
def test_a_type_is_the_very_same_but_for_whole_numbers(value, annotation, right):
    assert fits(value, annotation) is right
