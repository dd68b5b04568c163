"""Measures of predicted frames against the formulas written out, and the authors' constants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ebgan.video import METRICS, psnr, sharpness, ssim
from support.errors import assert_refused


def frames(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape or (3, 14, 17), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_authors_psnr_is_the_8_bit_psnr_of_frames_scaled_by_128():
    prediction, target = frames(1), frames(2)
    scaled = [(256 * (each.double() + 1) / 2).numpy() for each in (prediction, target)]
    expected = 10 * math.log10(255**2 / np.mean((scaled[0] - scaled[1]) ** 2))
    assert psnr(prediction, target).item() == pytest.approx(expected, abs=1e-10)


def test_the_papers_psnr_has_the_greatest_value_of_a_pixel_as_its_peak():
    prediction, target = frames(1), frames(2)
    error = ((prediction.double() - target.double()) / 2).square().mean()
    expected = -10 * math.log10(error)
    assert psnr(prediction, target, definition="paper").item() == pytest.approx(expected, abs=1e-10)


def test_equal_frames_have_88_decibels_an_ssim_of_1_and_a_ratio_of_1():
    same = frames(3)
    floor = 10 * math.log10(255**2 / 1e-4)
    expected = dict.fromkeys(METRICS, floor) | {"ssim": 1.0, "ssim_valid": 1.0, "sharpness_ratio": 1.0}
    assert {name: metric(same, same).item() for name, metric in METRICS.items()} == pytest.approx(expected)
    assert floor == pytest.approx(88.13, abs=0.005)


def test_the_sharpness_of_the_authors_sums_over_inner_pixels_and_divides_by_all():
    prediction, target = frames(1, 3, 5, 6).double(), frames(2, 3, 5, 6).double()
    total = 0.0
    for c in range(3):
        for i in range(1, 4):
            for j in range(1, 5):
                for i_before, j_before in ((i - 1, j), (i, j - 1)):
                    ours, theirs = (abs(x[c, i, j] - x[c, i_before, j_before]) for x in (prediction, target))
                    total += abs(ours - theirs).item()
    expected = 10 * math.log10(255**2 / (128**2 * total / (3 * 5 * 6)))
    assert sharpness(prediction, target).item() == pytest.approx(expected, abs=1e-10)


def test_the_sharpness_of_the_paper_compares_sums_of_both_directions():
    prediction, target = frames(1, 3, 5, 6).double(), frames(2, 3, 5, 6).double()
    differences = []
    for c in range(3):
        for i in range(1, 5):
            for j in range(1, 6):
                ours, theirs = (
                    abs(x[c, i, j] - x[c, i - 1, j]) + abs(x[c, i, j] - x[c, i, j - 1])
                    for x in ((prediction + 1) / 2, (target + 1) / 2)
                )
                differences.append(abs(ours - theirs).item())
    expected = -10 * math.log10(np.mean(differences))
    assert sharpness(prediction, target, definition="paper").item() == pytest.approx(expected, abs=1e-10)


def test_the_sharpness_ratio_falls_with_blur_and_rises_with_noise():
    target = frames(1)
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1)
    ratios = [sharpness(each, target, definition="ratio") for each in (blurred, target, 1.5 * target)]
    assert ratios[0] < 0.6 and ratios[1] == 1 and ratios[2].item() == pytest.approx(1.5)


def test_frames_without_edges_have_a_finite_sharpness_ratio():
    grey = torch.zeros(3, 8, 8)
    assert sharpness(grey, grey, definition="ratio") == 1
    assert 1 < sharpness(frames(1, 3, 8, 8), grey, definition="ratio") < math.inf


def window() -> np.ndarray:
    row = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    return np.outer(row, row) / np.outer(row, row).sum()


def ssim_by_loops(prediction: Tensor, target: Tensor, padding: int) -> float:
    luma = [np.tensordot([0.299, 0.587, 0.114], each.double().numpy(), 1) for each in (prediction, target)]
    x, y = (np.pad((each + 1) / 2 * 255, padding) for each in luma)
    c1, c2, weights, values = (0.01 * 255) ** 2, (0.03 * 255) ** 2, window(), []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            value = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
            values.append(value / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return float(np.mean(values))


@pytest.mark.parametrize(("padding", "pixels"), [("full", 10), ("valid", 0)])
def test_ssim_agrees_with_its_formula_window_by_window(padding, pixels):
    prediction, target = frames(1), 0.5 * frames(1) + 0.5 * frames(2)
    expected = ssim_by_loops(prediction, target, pixels)
    assert ssim(prediction, target, padding=padding).item() == pytest.approx(expected, abs=1e-9)


def test_full_and_valid_ssim_differ():
    prediction, target = frames(1), frames(2)
    full, valid = (ssim(prediction, target, padding=padding) for padding in ("full", "valid"))
    assert abs(full - valid) > 0.01


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_gives_one_float64_number_a_frame_without_gradients(metric):
    prediction, target = frames(1, 2, 4, 3, 12, 12).requires_grad_(), frames(2, 2, 4, 3, 12, 12)
    found = metric(prediction, target)
    assert found.shape == (2, 4) and found.dtype == torch.float64 and not found.requires_grad
    torch.testing.assert_close(found[1, 2], metric(prediction[1, 2], target[1, 2]))


GREY = torch.zeros(3, 8, 8)


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        (lambda: psnr(GREY, GREY[:, :4]), ("prediction: got (3, 8, 8)", "(3, 4, 8)", "(..., 3, H, W)")),
        (lambda: ssim(GREY[:1], GREY[:1]), ("prediction: got (1, 8, 8)",)),
        (lambda: sharpness(GREY[..., :2], GREY[..., :2]), ("(3, 8, 2)", "at least 3")),
        (lambda: psnr(torch.tensor(0.0), torch.tensor(0.0)), ("prediction: got ()",)),
        (lambda: psnr(GREY, GREY, definition="ratio"), ("definition: got 'ratio'", "authors, paper")),
        (lambda: sharpness(GREY, GREY, definition="db"), ("definition: got 'db'", "authors, paper, ratio")),
        (lambda: ssim(GREY, GREY, padding="same"), ("padding: got 'same'", "full, valid")),
        (lambda: ssim(GREY, GREY, padding="valid"), ("padding: got 'valid' for frames of 8x8", "11x11")),
    ],
)
def test_wrong_frames_and_definitions_are_refused(call, fragments):
    assert_refused(call, ValueError, fragments)
