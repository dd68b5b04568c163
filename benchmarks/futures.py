"""Measures sharpness where the future is uncertain: `python -m benchmarks.futures RUN [RUN ...]`.

The runs were trained on `moving-digits` with `--bounce random`: where a digit goes after it met a wall shows
in no frame before, and the mean of all futures, which minimises the expected l2 loss, is known exactly. This
measures, for each predicted frame of windows of the test split, how sharp the predictions are beside that
mean, how close they come to it, and to what happened. It writes `benchmarks/results/FUTURES.md`, its figures
as JSON beside it, and two pictures below `docs/pictures`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.rows import RESULTS, ROOT, today
from benchmarks.scores import command_line
from benchmarks.tables import table
from ebgan.data import MovingDigits
from ebgan.errors import UserError, require
from ebgan.pictures import image_grid, save_png
from ebgan.pictures.curves import COLOURS
from ebgan.video import open_run, psnr, roll_out, sharpness, trained_generator
from ebgan.video.windows import as_frames

DATA, PAGE = RESULTS / "futures" / "moving-digits.json", RESULTS / "FUTURES.md"
STRIPS, CURVES = (ROOT / "docs" / "pictures" / f"futures{name}.png" for name in ("", "-sharpness"))
MEAN = "mean of futures"
STRIDE = 16  # frames from one window of a clip to the next
SHOWN = (0, 5, 9)  # windows in the picture


@dataclass(frozen=True)
class Window:
    """The frames given, (T, 3, H, W), those that followed, and the mean of all that could have followed."""

    given: Tensor
    followed: Tensor
    mean: Tensor


def windows(digits: MovingDigits, given: int, predicted: int) -> list[Window]:
    """The windows of every clip, `STRIDE` frames apart."""
    found = []
    for number, clip in enumerate(digits.clip_set().clips):
        for start in range(0, clip.length - given - predicted + 1, STRIDE):
            frames = as_frames(clip.frames(start, given + predicted), clip.name)
            mean = digits.mean_of_futures(number, start + given - 1, predicted)
            found.append(Window(frames[:given], frames[given:], mean))
    return found


def measure(
    ways: Mapping[str, Callable[[Window], Tensor]], of: Sequence[Window]
) -> dict[str, dict[str, list[float]]]:
    """The means over windows for each predicted frame, by way and figure."""
    rows = {}
    for name, way in ways.items():
        films = [way(window) for window in of]
        figures = {
            "sharpness_ratio": [
                sharpness(film, each.followed, definition="ratio")
                for film, each in zip(films, of, strict=True)
            ],
            "psnr_to_mean": [psnr(film, each.mean) for film, each in zip(films, of, strict=True)],
            "psnr": [psnr(film, each.followed) for film, each in zip(films, of, strict=True)],
        }
        rows[name] = {figure: torch.stack(values).mean(0).tolist() for figure, values in figures.items()}
    return rows


def page(found: Mapping[str, Any]) -> str:
    rows = found["rows"]
    frames = range(1, len(rows[MEAN]["psnr"]) + 1)
    shown = [number for number in frames if number in (1, 2, 4, 8)]
    lines = [
        "# An uncertain future",
        "",
        "Written by `python -m benchmarks.futures` from runs on `moving-digits --bounce random --size 32`:",
        "a digit that meets a wall leaves it in a direction drawn by chance. No prediction has a smaller",
        "expected l2 error than the mean of all futures, and that mean is blurred. "
        f"{found['windows']} windows of the test split.",
        "",
        "These generators end in tanh before the guess is added (`--tanh before`). With tanh after the",
        "sum, as on real video, Adam drove every pixel of these mostly black frames to -1 within 80 updates,",
        "where tanh has no slope left (rates 0.0001 and 0.0003). The runs are short: l2 is blurrier than the",
        "best that l2 can be, and the adversarial one sharp before it is right.",
        "",
        "![what happened, the mean of all futures, and predictions](../../docs/pictures/futures.png)",
        "",
        "![sharpness of each predicted frame](../../docs/pictures/futures-sharpness.png)",
        "",
    ]
    for figure, title in (
        ("sharpness_ratio", "Sharpness, the strength of all edges over that of the frame that followed"),
        ("psnr_to_mean", "PSNR in dB to the mean of all futures (88.1 is equality)"),
        ("psnr", "PSNR in dB to the frame that followed"),
    ):
        digits = 3 if figure == "sharpness_ratio" else 1
        body = [[name, *(f"{row[figure][n - 1]:.{digits}f}" for n in shown)] for name, row in rows.items()]
        lines += [f"{title}:", "", *table(["", *(f"frame {n}" for n in shown)], body), ""]
    return "\n".join([*lines, *(f"- {name}: `{text}`" for name, text in found["runs"].items()), ""])


def draw_curves(rows: Mapping[str, Mapping[str, Sequence[float]]], path: pathlib.Path) -> None:
    figure = require("matplotlib.figure").Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for (name, row), colour in zip(rows.items(), ("black", *COLOURS), strict=False):
        values = row["sharpness_ratio"]
        style = {"linestyle": "--"} if name == MEAN else {"marker": "o"}
        axes.plot(range(1, len(values) + 1), values, color=colour, label=name, **style)
    axes.axhline(1, color="grey", linewidth=1)
    axes.set(
        title="Sharpness where the future is uncertain (1: as sharp as what happened)",
        xlabel="predicted frame",
        ylabel="strength of edges / that of the real frame",
    )
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path)


def draw_strips(films: Mapping[str, Sequence[Tensor]], path: pathlib.Path) -> None:
    """Draw a row for each way and shown window, time from left to right, the names on the left."""
    rows = [film[number] for number in range(len(SHOWN)) for film in films.values()]
    picture = image_grid(torch.cat(rows), columns=len(rows[0]))
    image = require("PIL.Image").fromarray(picture)
    margin, pitch = image.width // 4, image.height / len(rows)
    sheet = require("PIL.Image").new("RGB", (image.width + margin, image.height), (255, 255, 255))
    sheet.paste(image, (margin, 0))
    pen, font = require("PIL.ImageDraw").Draw(sheet), require("PIL.ImageFont").load_default(size=pitch / 4)
    for row in range(len(rows)):
        name = list(films)[row % len(films)]
        pen.text((margin - pitch / 8, (row + 0.5) * pitch), name, fill=(0, 0, 0), font=font, anchor="rm")
    save_png(require("numpy").asarray(sheet), path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    options = parser.parse_args(arguments)
    try:
        compare(options.runs)
    except (UserError, OSError) as error:
        print(f"benchmarks.futures: {error}", file=sys.stderr)
        return 2
    return 0


def compare(runs: Sequence[pathlib.Path]) -> None:
    """Measure the runs, and write the page, its figures and its pictures."""
    ways: dict[str, Callable[[Window], Tensor]] = {MEAN: lambda window: window.mean}
    commands = {}
    for path in runs:
        run, config = open_run(path)
        if config.data != "moving-digits" or config.bounce != "random" or config.net != "8to8":
            raise UserError(
                f"{path}: is of {config.net} on {config.data}; train it with --net 8to8 "
                "--data moving-digits --bounce random --size 32"
            )
        net = trained_generator(path, torch.device("cpu")).eval()
        ways[config.loss] = lambda window, net=net: roll_out(net, window.given[None], len(window.followed))[0]
        commands[config.loss] = command_line(run.command(), dataclasses.asdict(config))
        digits = MovingDigits("test", size=config.size or 64, bounce="random")
    found = windows(digits, 8, 8)
    films = {"what happened": [found[number].followed for number in SHOWN]} | {
        name: [way(found[number]) for number in SHOWN] for name, way in ways.items()
    }
    draw_strips(films, STRIPS)
    content = {"windows": len(found), "date": today(), "runs": commands, "rows": measure(ways, found)}
    draw_curves(content["rows"], CURVES)
    DATA.parent.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps(content, indent=1) + "\n")
    PAGE.write_text(page(content))


if __name__ == "__main__":
    sys.exit(main())
