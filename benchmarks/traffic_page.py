"""The page about what the CUDA kernels move: `benchmarks/results/TRAFFIC.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.emulated import LEAST_SHARE, Launch, Requests
from benchmarks.resources import MULTIPROCESSORS, TARGETS, kernel_name, resident_blocks
from benchmarks.roofline import CARDS, LATENCY, LAUNCH, UNROLLED, share_of
from benchmarks.tables import figure, ratio, shape_text, table
from benchmarks.traffic import Traffic, TrafficRow
from benchmarks.traffic_reasons import LIMITS, TITLES, Finding, reason_of

MODEL_TARGET = "sm_90"  # of both cards of the model
NOT_MODELLED = "products"

INTRODUCTION = """\
# What the CUDA kernels move

Written by `make traffic` from `traffic.json`. The kernels ran on CPU tensors on an emulated device of compute
capability 9.0 with 132 multiprocessors, which counts (`tests/emulator`); registers and shared memory are what
`ptxas -v` says. **No time stands here that was measured**; the last table is a model.

- minimum: the operator's inputs read once and its results written once, as its benchmark counts them.
- memory / minimum: the distinct 32-byte sectors that each launch reads and writes, all launches together;
  what memory has to deliver where nothing is left in the caches from one launch to the next.
- blocks / minimum: the same of each block for itself; what L1 caches have to fetch at least.
- sectors / fewest: sectors that the requests of warps touch, over the fewest that could hold their bytes
  (1.00: fully coalesced), of all requests; then the worst line of those that have {share} of the sectors.
- passes / fewest: passes of shared memory, over those without a bank conflict; and the worst line.
- functions: exp, sqrt and the like, for each element of the first argument. Divisions cannot be counted as
  they run; the table of kernels has their places in the PTX of {divisions} (division, reciprocal and root of
  floats).
- `pulling_away`: its products are torch's own, and not counted.
"""

MODEL = """\
## The share of the copy bandwidth that could be reached at most: a model

Not measured. minimum / (copy bandwidth * time), where time is the sum over launches and over their waves, as
many blocks as are resident on all multiprocessors at once:

    time of a launch = {launch:.0f} us + sum over waves of max(memory, latency, on chip)
    memory  = distinct bytes read and written / copy bandwidth
    latency = distinct bytes read * {latency:.0f} ns / (warps of the wave * bytes that a warp has under way)
    on chip = (sectors / 4 + passes of shared memory) / (clock * multiprocessors in use)

Assumed: {launch:.0f} us for a launch; {latency:.0f} ns until data comes; that a warp has {unrolled} requests
of each line that reads under way, or all where it has fewer. Left out: instructions, products of matrices,
the bandwidth of L2, and hits in L2 from an earlier launch: rows whose bytes fit into it (*fits L2*) can be
faster where they are there. So the figure bounds kernels that memory binds; those that products bind are not
modelled.
"""


def page(traffic: Traffic) -> str:
    lines = [
        INTRODUCTION.format(share=f"{100 * LEAST_SHARE:.0f} %", divisions="sm_90"),
        f"Counted {traffic.date}, commit {traffic.commit}.",
        "",
        "## Traffic",
        "",
        *_traffic_table(traffic.rows),
        "",
        "## What is above its minimum, and why",
        "",
        *_findings(traffic.rows),
        "",
        "## What a kernel takes",
        "",
        f"Threads of a block, its bytes of shared memory (static and dynamic) and, for {', '.join(TARGETS)}:",
        "registers of a thread, and how many of 64 warps are resident.",
        "",
        *_kernel_table(traffic),
        "",
        MODEL.format(launch=1e6 * LAUNCH, latency=1e9 * LATENCY, unrolled=UNROLLED),
        *(
            f"- {card.name}: copies at {card.copy_bandwidth / 1e12:.1f} TB/s (measured),"
            f" L2 {card.l2 // 2**20} MB, {card.multiprocessors} multiprocessors,"
            f" at most {card.clock / 1e9:.2f} GHz"
            for card in CARDS
        ),
        "",
        *_model_table(traffic),
    ]
    return "\n".join(lines) + "\n"


def _traffic_table(rows: Sequence[TrafficRow]) -> list[str]:
    header = (
        *("operator", "shape", "dtype", "mode", "launches", "minimum MB"),
        *("memory / minimum", "blocks / minimum"),
        *("sectors / fewest", "worst line", "passes / fewest", "worst bank line"),
        *("barriers a block", "atomics", "functions an element"),
    )
    return table(header, map(_traffic_cells, rows))


def _traffic_cells(row: TrafficRow) -> tuple[str, ...]:
    sectors = together([launch.sectors for launch in row.launches])
    passes = together([launch.passes for launch in row.launches])
    barriers = dict.fromkeys(f"{launch.barriers / launch.blocks:.0f}" for launch in row.launches)
    return (
        row.operator,
        shape_text(row.shape),
        row.dtype,
        row.mode,
        str(len(row.launches)),
        figure(row.minimum / 1e6) if row.minimum > 1e4 else f"{row.minimum / 1e6:.4f}",
        ratio(row.moved / row.minimum),
        ratio(row.fetched / row.minimum),
        *_requests_cells(sectors),
        *_requests_cells(passes),
        ", ".join(barriers),
        str(sum(launch.atomics for launch in row.launches)),
        _functions(row),
    )


def together(parts: Sequence[Requests]) -> Requests:
    """The requests of several launches; the worst line is of one that has its share of all parts."""
    all_parts = sum(each.parts for each in parts)
    named = [each for each in parts if each.parts and each.parts >= LEAST_SHARE * all_parts]
    worst = max(named, key=lambda each: each.worst, default=Requests())
    return Requests(all_parts, sum(each.fewest for each in parts), worst.worst_place, worst.worst)


def _requests_cells(requests: Requests) -> tuple[str, str]:
    if not requests.parts:
        return "", ""
    worst = "" if requests.worst == 1 else f"{requests.worst_place.rpartition('/')[2]} {requests.worst:.2f}"
    return ratio(requests.parts / requests.fewest), worst


def _functions(row: TrafficRow) -> str:
    total: dict[str, int] = {}
    for launch in row.launches:
        for name, times in launch.functions.items():
            total[name] = total.get(name, 0) + times
    an_element = {name: times / row.elements for name, times in total.items()}
    return ", ".join(f"{name} {ratio(times)}" for name, times in an_element.items() if times >= 0.005)


def findings_of(row: TrafficRow) -> Iterator[tuple[Finding, float, str]]:
    """The figures of a row that are above their limits, and the lines that they come from."""
    sectors = together([launch.sectors for launch in row.launches])
    passes = together([launch.passes for launch in row.launches])
    figures: dict[Finding, tuple[float, str]] = {
        "memory": (row.moved / row.minimum, ""),
        "blocks": (row.fetched / row.minimum, ""),
        "sectors": (sectors.worst, sectors.worst_place),
        "passes": (passes.worst, passes.worst_place),
    }
    for finding, (value, place) in figures.items():
        if round(value, 2) > LIMITS[finding]:
            yield finding, value, place


def _findings(rows: Sequence[TrafficRow]) -> list[str]:
    body = []
    for row in rows:
        for finding, value, place in findings_of(row):
            subject = f"{row.operator} {shape_text(row.shape)} {row.dtype}, {row.mode}"
            reason = reason_of(row.operator, finding) or "**open**"
            body.append((subject, TITLES[finding], ratio(value), place, reason))
    return table(("operator", "figure", "value", "line", "why"), body)


def _kernel_table(traffic: Traffic) -> list[str]:
    shapes = {
        (kernel_name(launch.kernel), launch.threads, launch.dynamic_shared): launch
        for row in traffic.rows
        for launch in row.launches
    }
    body = []
    for (name, threads, dynamic), launch in sorted(shapes.items(), key=lambda item: item[0]):
        compiled = traffic.kernels[name]
        cells = []
        for target in TARGETS:
            warps = resident(traffic, launch, target) * -(-threads // 32)
            cells += [str(compiled.by_target[target].registers), str(warps)]
        shared = compiled.by_target[MODEL_TARGET].static_shared + dynamic
        body.append((f"`{_short(name)}`", str(threads), str(shared), str(compiled.divisions), *cells))
    columns = [f"{what} {target}" for target in TARGETS for what in ("registers", "warps")]
    return table(("kernel", "threads", "shared", "divisions", *columns), body)


def _short(name: str) -> str:
    for space in ("ebgan::cuda::", "ebgan::math::", "ebgan::"):
        name = name.replace(space, "")
    return name


def resident(traffic: Traffic, launch: Launch, target: str) -> int:
    """The number of blocks of a launch that are on a multiprocessor at once."""
    resources = traffic.kernels[kernel_name(launch.kernel)].by_target[target]
    return resident_blocks(
        MULTIPROCESSORS[target],
        threads=launch.threads,
        registers=resources.registers,
        shared=resources.static_shared + launch.dynamic_shared,
    )


def _model_table(traffic: Traffic) -> list[str]:
    body = []
    for row in traffic.rows:
        cells = []
        for card in CARDS:
            if not row.is_traffic:
                cells += [NOT_MODELLED, ""]
                continue
            launches = [(launch, resident(traffic, launch, MODEL_TARGET)) for launch in row.launches]
            share = share_of(row.minimum, launches, card)
            fits = ", fits L2" if row.moved <= card.l2 else ""
            cells += [f"{100 * share.share:.0f} %", f"{share.bound}{fits}"]
        body.append((row.operator, shape_text(row.shape), row.dtype, row.mode, *cells))
    columns = [name for card in CARDS for name in (card.name, "bound by")]
    return table(("operator", "shape", "dtype", "mode", *columns), body)
