"""Short training runs of every system on the GPU, each as a user starts it; exit status 1 if one fails.

python scripts/gpu_runs.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RUNS = {
    "gan": "gan --steps 30",
    "gan resumed": "gan --resume {folder}/gan --steps 40",
    "gan fast": "gan --fast --steps 20",
    "gan compiled": "gan --compiled True --steps 10",
    "gan deterministic": "gan --deterministic --steps 10",
    "ladder": "ladder --steps 30",
    "ladder ebgan fast": "ladder --model ebgan --fast --steps 30",
    "video resumed": "video --resume {folder}/video --steps 8",
    "video": "video --width 0.25 --steps 6",
    "video fast": "video --fast --width 0.25 --steps 6",
    "video adversarial": "video --loss adv+gdl --width 0.25 --steps 6",
    "disentangle": "disentangle --steps 10",
}
AT_ONCE = 4


def train(name: str, folder: Path) -> bool:
    """Run one, in a process of its own; print how it ended, and of a failed one the last lines."""
    options = RUNS[name].format(folder=folder).split()
    if "--resume" not in options:
        options += ["--device", "cuda", "--out", str(folder / name)]
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ebgan", "train", *options], capture_output=True, text=True, check=False
    )
    outcome = (
        "ok" if done.returncode == 0 else f"FAILED: {done.returncode}\n{done.stdout}{done.stderr}"[-3000:]
    )
    print(f"{name:20} {time.monotonic() - begun:5.1f} s  {outcome}", flush=True)
    return done.returncode == 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        first = [name for name in RUNS if "resumed" not in name]
        resumed = [name for name in RUNS if "resumed" in name]
        outcomes = [*pool.map(lambda name: train(name, Path(folder)), first)]
        outcomes += pool.map(lambda name: train(name, Path(folder)), resumed)
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
