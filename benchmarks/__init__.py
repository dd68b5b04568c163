"""Benchmarks: `python -m benchmarks` measures everything, writes `benchmarks/results/` and rewrites the
README's tables."""
