from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ebgan.data import load
from ebgan.demo import NearestNeighbourCheck, nearest_neighbour_check, speed, speed_table
from ebgan.gan import Generator


class Replay(Generator):
    """Gives back the same real images whatever the noise."""

    noise_shapes = ((1,),)

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.images = torch.nn.Parameter(images)

    def forward(self, z: Tensor) -> Tensor:
        return self.images[: len(z)].clone()


def test_real_digits_pass_the_nearest_neighbour_check_with_their_own_counts():
    real = load("digits")
    images = torch.from_numpy(real.images[:200]).float() / 127.5 - 1
    check = nearest_neighbour_check(Replay(images), count=200)
    assert check.counts == tuple((real.labels[:200] == digit).sum() for digit in range(10))
    assert check.passed and "passed" in str(check)


@pytest.mark.parametrize("counts", [(50, 0, 50), (31, 30, 39), (100, 0, 0)])
def test_a_missing_or_dominant_class_fails_the_check(counts):
    check = NearestNeighbourCheck(counts, ("a", "b", "c"))
    assert not check.passed and "FAILED" in str(check)


def test_the_speed_table_says_when_torch_compile_cannot_run(monkeypatch):
    def no_compiler(function: object) -> object:
        def fail() -> None:
            raise RuntimeError("no C++ compiler found\nlong story")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    monkeypatch.setattr(speed, "ROUNDS", 1)
    monkeypatch.setattr(speed, "ROWS", (speed.Row((4, 1, 8, 8), "digits"), speed.Row((4, 1, 9, 9), None)))
    table = speed_table(torch.device("cpu")).splitlines()
    assert table[-1] == "torch.compile cannot run here: no C++ compiler found"
    assert "4x1x8x8" in table[2] and "%" in table[2]
    assert table[3].count("not measured") == 3
    assert len({len(line) for line in table[1:4]}) == 1


def test_variants_of_a_row_are_timed_in_turns(monkeypatch):
    monkeypatch.setattr(speed, "ROUNDS", 3)
    monkeypatch.setattr(speed, "ROUND_SECONDS", 0.0)
    calls: list[str] = []
    speed.interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, torch.device("cpu"))
    assert "".join(calls).endswith("ababab")
