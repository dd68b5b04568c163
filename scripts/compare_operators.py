#!/usr/bin/env python3
"""Runs every operator in two checkouts and compares what it computes, bit by bit.

    python scripts/compare_operators.py BEFORE AFTER [--implementation cpu]

BEFORE and AFTER are checkouts whose compiled libraries are built. Every case of `ebgan_kernels.selfcheck`
is run in each dtype (its own mix, float16, bfloat16, float32, float64) and layout: the results without a
gradient and with one, the first gradients for three incoming gradients (1, another one, and again through a
retained graph), and the gradients of a second backward pass. Each is compared by the SHA-256 of its bytes.
Emulated and interpreted kernels, of which the environment tells as everywhere, take the small cases. The
exit status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

LAYOUTS = ("contiguous", "channels-last", "misaligned")


def digest(tensor: Any) -> str:
    """The dtype, shape and strides of a tensor, and a hash of its values."""
    import torch

    flat = tensor.detach().contiguous().flatten().view(torch.uint8).numpy(force=True).tobytes()
    name = f"{tensor.dtype} {tuple(tensor.shape)} {tensor.stride()}"
    return f"{name} {hashlib.sha256(flat).hexdigest()}"


def variants(case: Any) -> Iterator[Any]:
    """A case in its own dtypes and in each dtype alone, in every layout."""
    import torch

    mixes = {case.dtypes, *((d,) for d in (torch.float16, torch.bfloat16, torch.float32, torch.float64))}
    for dtypes in sorted(mixes, key=str):
        for layout in LAYOUTS:
            yield replace(case, dtypes=dtypes, layout=layout)


def computed(case: Any) -> dict[str, str]:
    """Everything that a case computes, by name."""
    import torch

    tensors = case.tensors(0, torch.device("cpu"))
    wanted = [x for x in tensors if x.requires_grad]
    found = {}
    with torch.no_grad():
        found.update({f"{name}, no gradient": digest(x) for name, x in case.results(tensors).items()})
    for create_graph in (False, True):
        results = case.results(tensors)
        found.update({name: digest(x) for name, x in results.items()})
        outputs = [x for x in results.values() if x.grad_fn is not None]
        for factor in (1.0,) if create_graph else (1.0, 0.7, 1.3):
            incoming = [torch.full_like(x, factor) for x in outputs]
            first = torch.autograd.grad(
                outputs, wanted, incoming, retain_graph=True, create_graph=create_graph, allow_unused=True
            )
            found.update(
                {
                    f"gradient {i} of {factor}, graph {create_graph}": digest(x)
                    for i, x in enumerate(first)
                    if x is not None
                }
            )
        again = [x.double().square().sum() for x in first if x is not None and x.grad_fn is not None]
        if again:
            second = torch.autograd.grad(sum(again), wanted, allow_unused=True)
            found.update({f"second gradient {i}": digest(x) for i, x in enumerate(second) if x is not None})
    return found


def record(implementation: Any) -> dict[str, dict[str, str]]:
    """What the imported checkout computes, by case."""
    from ebgan_kernels.backends import backend
    from ebgan_kernels.selfcheck.cases import CASES
    from ebgan_kernels.selfcheck.run import cases_for

    found = {}
    for case in cases_for(implementation, CASES):
        for variant in variants(case):
            name = f"{case.operator}({variant.inputs_in_words}, {variant.dtypes_in_words})"
            with backend(implementation):
                try:
                    found[name] = computed(variant)
                except (TypeError, ValueError) as refusal:
                    found[name] = {"refused": str(refusal)}
    return found


def recorded(checkout: Path, implementation: str) -> dict[str, dict[str, str]]:
    """The record of a checkout, made by a process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'python'}"}
    command = [sys.executable, str(Path(__file__).resolve()), "--record", "--implementation", implementation]
    process = subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, check=True)
    result: dict[str, dict[str, str]] = json.loads(process.stdout)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT")
    parser.add_argument("--implementation", default="cpu", choices=("cpu", "cuda", "triton"))
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        print(json.dumps(record(options.implementation)))
        return 0
    if len(options.checkouts) != 2:
        parser.error(f"give two checkouts, not {len(options.checkouts)}")
    before, after = (recorded(path.resolve(), options.implementation) for path in options.checkouts)
    differing = 0
    for name in sorted(before.keys() ^ after.keys()):
        print(f"{name}: only {'before' if name in before else 'after'}")
    for name in sorted(before.keys() & after.keys()):
        one, other = before[name], after[name]
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                differing += 1
                print(f"{name}: {key}\n  before {one.get(key)}\n  after  {other.get(key)}")
    values = sum(map(len, before.values()))
    print(f"{options.implementation}: {len(before)} cases, {values} results, {differing} differ")
    return 1 if differing or before.keys() - after.keys() or not values else 0


if __name__ == "__main__":
    sys.exit(main())
