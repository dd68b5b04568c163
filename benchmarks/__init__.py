"""`python -m benchmarks` measures everything, writes `benchmarks/results/` and the README's tables."""
