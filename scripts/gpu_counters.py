"""Runs four operators once each on a GPU, for the counters that `make traffic` predicts:

    ncu --clock-control none --csv --metrics METRICS python scripts/gpu_counters.py

The counters to ask for: dram__bytes_read.sum, dram__bytes_write.sum, gpu__time_duration.sum,
l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum, l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum, the same of
op_st, and l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum.
"""

from __future__ import annotations

import torch

from benchmarks import bench_energy, bench_gdl, bench_ladder
from benchmarks.traffic_cases import CASES, run

OPERATORS = (bench_energy.DISCRIMINATOR, bench_gdl.PREDICTION, bench_gdl.MULTISCALE, bench_ladder.COST)


def main() -> None:
    torch.manual_seed(0)
    for operator in OPERATORS:
        case = next(case for case in CASES if case.name == operator.name)
        arguments = tuple(
            x.detach().cuda().requires_grad_(x.requires_grad) for x in case.arguments(case.shape, case.dtype)
        )
        run(case, arguments, "forward+backward")
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
