"""Rows as text: tables that read well in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.rows import OperatorRow, PartRow, ReachedRow, Row, StepRow

OPERATOR_HEADER = (
    *("operator", "shape", "dtype", "mode", "implementation", "clock"),
    *("ms", "± IQR", "over eager", "over compile"),
    *("MB moved", "GB/s", "% of copy", "peak extra MB", "error / eager's"),
)
STEP_HEADER = (
    *("system", "job", "implementation", "ms", "± IQR"),
    *("over first", "per second", "loss ms", "loss share"),
)
PART_HEADER = ("system", "job", "part", "ms", "± IQR", "share")
REACHED_HEADER = ("system", "job", "implementation", "steps", "score", "mean", "least")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table with aligned columns; those after the first that hold no letters align right."""
    body = [list(row) for row in rows]
    columns = list(zip(header, *body, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    right = [index > 0 and not any(map(_is_text, column[1:])) for index, column in enumerate(columns)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)
    ]
    return [line(header), f"| {' | '.join(rule)} |", *map(line, body)]


def row_lines(rows: Sequence[Row]) -> list[str]:
    """Every figure of the rows: tables of operators, of whole jobs, of their parts, of what they reached."""
    operators = [_operator_cells(row) for row in rows if isinstance(row, OperatorRow)]
    steps = [_step_cells(row) for row in rows if isinstance(row, StepRow)]
    parts = [_part_cells(row) for row in rows if isinstance(row, PartRow)]
    reached = [_reached_cells(row) for row in rows if isinstance(row, ReachedRow)]
    lines: list[str] = []
    headers = (OPERATOR_HEADER, STEP_HEADER, PART_HEADER, REACHED_HEADER)
    for header, cells in zip(headers, (operators, steps, parts, reached), strict=True):
        if cells:
            lines += [*table(header, cells), ""]
    return lines


def _operator_cells(row: OperatorRow) -> tuple[str, ...]:
    return (
        row.operator,
        shape_text(row.shape),
        row.dtype + ("" if row.layout == "contiguous" else f" {row.layout}"),
        row.mode,
        row.implementation,
        row.clock,
        figure(row.median_ms),
        figure(row.iqr_ms),
        ratio(row.speedup_over_eager),
        ratio(row.speedup_over_compile),
        figure(row.bytes / 1e6),
        figure(row.gb_per_s),
        f"{row.percent_of_copy:.0f}",
        figure(None if row.peak_extra_bytes is None else row.peak_extra_bytes / 1e6),
        ratio(row.error_over_eager),
    )


def _step_cells(row: StepRow) -> tuple[str, ...]:
    return (
        row.system,
        row.job,
        row.implementation,
        figure(row.median_ms),
        figure(row.iqr_ms),
        ratio(row.speedup),
        f"{row.per_second:,.0f} {row.unit}",
        figure(row.loss_ms),
        "" if row.loss_share is None else f"{100 * row.loss_share:.1f} %",
    )


def _part_cells(row: PartRow) -> tuple[str, ...]:
    return (
        row.system,
        row.job,
        row.part,
        figure(row.median_ms),
        figure(row.iqr_ms),
        f"{100 * row.share:.1f} %",
    )


def _reached_cells(row: ReachedRow) -> tuple[str, ...]:
    mean = sum(row.values) / len(row.values)
    return (
        row.system,
        row.job,
        row.implementation,
        f"{row.steps:,}",
        row.score,
        f"{mean:.4f}",
        f"{min(row.values):.4f}",
    )


def shape_text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def figure(value: float | None) -> str:
    """Three significant digits, never in powers of ten."""
    if value is None:
        return ""
    return f"{value:.{sum(abs(value) < limit for limit in (0.1, 1, 10, 100))}f}"


def ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _is_text(cell: str) -> bool:
    return any(character.isalpha() for character in cell)
