"""Mistakes that a kernel of this library could have, one at a time, and what must find each.

A defect is one or a few edits of a copy of csrc. Were one of them found by nothing, the emulated device would be at fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from building import Edit, Variant


@dataclass(frozen=True)
class Defect:
    """Edits of a unit, csrc/cuda/<unit>.cu with what it includes, and how a workload shows them.

    `says`: a regular expression for what the run prints, by the variant or as a result that is wrong. `quick`: it is part of
    the ordinary tests, not of `make test-defects` alone.
    """

    name: str
    unit: str
    edits: tuple[Edit, ...]
    workload: str
    variant: Variant
    says: str
    seed: int = 0
    quick: bool = False


def defect(
    name: str,
    where: str,
    old: str,
    new: str,
    workload: str,
    variant: Variant,
    says: str,
    *,
    seed: int = 0,
    quick: bool = False,
    more: tuple[Edit, ...] = (),
) -> Defect:
    """One edit in most; `where` is "unit file", of which the file is one of csrc/cuda."""
    unit, file = where.split()
    edits = (Edit(f"cuda/{file}", old, new), *more)
    return Defect(name, unit, edits, workload, variant, says, seed, quick)


# What every copy leaves out, so that it compiles in seconds: types and tiles that no workload uses.
ONE_TYPE = (
    Edit(
        "cuda/dtype.cuh",
        """    switch (dtype) {
      case Dtype::kFloat16:
        return body.template operator()<__half>();
      case Dtype::kBFloat16:
        return body.template operator()<__nv_bfloat16>();
      default:
        return body.template operator()<float>();
    }
""",
        "    static_cast<void>(dtype);\n    body.template operator()<float>();\n",
    ),
    Edit(
        "cuda/dtype.cuh",
        "return dtype == Dtype::kFloat64 ? body.template operator()<double>() : body.template operator()<float>();",
        "static_cast<void>(dtype);\n  return body.template operator()<float>();",
    ),
)
SHORTENED: dict[str, tuple[Edit, ...]] = {
    "energy": ONE_TYPE,
    "gradient": ONE_TYPE,
    "pulling_away": ONE_TYPE,
    "gdl": (
        *ONE_TYPE,
        Edit(
            "cuda/gdl_terms.cuh",
            """    case math::Exponent::kTwo:
      return body.template operator()<math::Exponent::kTwo>();
    default:
      return body.template operator()<math::Exponent::kAny>();
""",
            "    default:\n      return;\n",
        ),
        Edit(
            "cuda/gdl_stencil.cuh",
            "axes == 3 ? stencil_of<A, exponent, 3>(plan.width, need_target)",
            "axes == 3 ? nullptr",
        ),
    ),
    "ladder": (
        *ONE_TYPE,
        Edit(
            "cuda/ladder.cu",
            """  if (layer.z.dtype == Dtype::kFloat64) return body.template operator()<double, false>();
  is_mixed(layer) ? body.template operator()<float, true>() : body.template operator()<float, false>();
""",
            "  if (!is_mixed(layer)) body.template operator()<float, false>();\n",
        ),
    ),
    "ladder_layer": (
        *ONE_TYPE,
        Edit(
            "cuda/ladder_layer.cu",
            "    if (parts->dtype == Dtype::kFloat64) return body.template operator()<double, false>();\n",
            "",
        ),
        Edit(
            "cuda/ladder_layer.cu",
            "mixed ? body.template operator()<float, true>() : body.template operator()<float, false>();",
            "if (!mixed) body.template operator()<float, false>();",
        ),
    ),
    "valid_conv": (
        Edit(
            "cuda/valid_conv.cu",
            """    case Dtype::kBFloat16:
      return body.template operator()<__nv_bfloat16>();
    case Dtype::kFloat32:
      return body.template operator()<float>();
    default:
      return body.template operator()<double>();
""",
            "    default:\n      return;\n",
        ),
        Edit(
            "cuda/valid_conv_choice.cuh",
            """    case CorrelationTile::kMedium:
      return body.template operator()<MediumTile>();
    default:
      return body.template operator()<LargeTile>();
""",
            "    default:\n      return;\n",
        ),
        Edit(
            "cuda/valid_conv_choice.cuh",
            """    if (maps <= 32) return launch_direct<T, 32, 4>(layers, activation, stream);
  }
  launch_direct<T, 64, 4>(layers, activation, stream);
""",
            "  }\n",
        ),
    ),
}

ENERGY = (
    defect(
        "block_sum reads the sums of warps before they are there",
        "energy reduce.cuh",
        "if (lane == 0) scratch[warp] = value;\n  __syncthreads();",
        "if (lane == 0) scratch[warp] = value;",
        "discriminator",
        "plain",
        "wrong: .* NaN",
        quick=True,
    ),
    defect(
        "the loss's loop uses its scratch again before all have read it",
        "energy energy_loss.cuh",
        "static_cast<double>(energies.count);\n    __syncthreads();",
        "static_cast<double>(energies.count);",
        "discriminator",
        "races",
        r"race in shared memory.*csrc/cuda/reduce\.cuh",
    ),
    defect(
        "residuals overlap the scratch of sums",
        "energy energy_one_pass.cuh",
        "scratch + kScratch + kStep",
        "scratch + kStep",
        "discriminator",
        "plain",
        "wrong: result",
    ),
    defect(
        "a block leaves its cluster without waiting",
        "energy energy_one_pass.cuh",
        "  leave_cluster();\n}",
        "}",
        "cluster",
        "plain",
        "has arrived at the cluster's barrier and ended without waiting for it",
    ),
    defect(
        "a sum over a cluster reads one block's sum only",
        "energy reduce.cuh",
        "map_shared_rank(shared_sum, rank)",
        "map_shared_rank(shared_sum, 0)",
        "cluster",
        "plain",
        "wrong: result",
    ),
    defect(
        "a cluster's blocks read each other's sums before they are there",
        "energy reduce.cuh",
        "    cluster.sync();\n",
        "",
        "cluster",
        "races",
        "reads shared memory .* that nobody has written|race in shared memory",
    ),
    defect(
        "a block ends while others of its cluster read its shared memory",
        "energy reduce.cuh",
        "    cluster.barrier_arrive();\n",
        "",
        "cluster",
        "plain",
        r"block \d+ reads the shared memory of block \d+, which has ended",
        more=(
            Edit("cuda/reduce.cuh", "  if (cluster.num_blocks() > 1) cluster.barrier_wait();\n", "  (void)cluster;\n"),
        ),
    ),
    defect(
        "a thread arrives twice at its cluster's barrier",
        "energy reduce.cuh",
        "    cluster.barrier_arrive();\n",
        "    cluster.barrier_arrive();\n    cluster.barrier_arrive();\n",
        "cluster",
        "plain",
        r"arrives at the cluster's barrier in .*reduce\.cuh:\d+ twice",
    ),
    defect(
        "a cluster is launched that the device has no room for",
        "energy energy_one_pass.cuh",
        "plan.possible = cluster_fits(energies_and_gradients<A>, shape);",
        "plan.possible = true;",
        "large_sample_crowded",
        "plain",
        "cluster misconfiguration",
    ),
    defect(
        "shared memory beyond 48 KB is used without opting in",
        "energy energy_one_pass.cuh",
        "  allow_all_shared_memory<energies_and_gradients<A>>(device);\n",
        "  static_cast<void>(device);\n",
        "large_sample",
        "plain",
        "CUDA error: invalid argument",
    ),
    defect(
        "vectors are read where none begins",
        "energy vector.cuh",
        "return address % kVectorBytes == 0;",
        "return address != 0;",
        "discriminator",
        "sanitizers",
        r"csrc/cuda/vector\.cuh:\d+.*misaligned address",
    ),
    defect(
        "the last vector reads beyond the end of a sample",
        "energy vector.cuh",
        "range.end - range.end % kStep;",
        "(range.end + kStep - 1) / kStep * kStep;",
        "energy",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/vector\.cuh:\d+",
    ),
    defect(
        "the scratch of a sum is smaller than what is written there",
        "energy energy_loss.cuh",
        "__shared__ double scratch[kScratch];",
        "__shared__ double scratch[2];",
        "discriminator",
        "sanitizers",
        r"(?s)use-after-poison.*csrc/cuda/reduce\.cuh:\d+",
    ),
)

PULLING_AWAY = (
    defect(
        "the norms of columns are read before they are there",
        "pulling_away pulling_away.cu",
        "    }\n    __syncthreads();\n    const int64_t offset",
        "    }\n    const int64_t offset",
        "pulling_away",
        "plain",
        "wrong: .* NaN",
        seed=1,
        quick=True,
    ),
    defect(
        "the norms of columns are overwritten before all have read them",
        "pulling_away pulling_away.cu",
        "    __syncthreads();\n    for (int j = static_cast<int>(threadIdx.x)",
        "    for (int j = static_cast<int>(threadIdx.x)",
        "pulling_away_many",
        "races",
        r"race in shared memory.*csrc/cuda/pulling_away\.cu",
        quick=True,
    ),
    defect(
        "warps without a row return in front of a barrier",
        "pulling_away pulling_away.cu",
        "  A sum = A(0);\n  for (int64_t first",
        "  if (!is_row) return;\n  A sum = A(0);\n  for (int64_t first",
        "pulling_away",
        "plain",
        r"have ended before the barrier in .*pulling_away\.cu:\d+|has ended while \d+ others wait at the barrier",
        quick=True,
    ),
    defect(
        "warps wait at different barriers",
        "pulling_away pulling_away.cu",
        "    __syncthreads();\n    const int64_t offset",
        "    if (is_row) {\n      __syncthreads();\n    } else {\n      __syncthreads();\n    }\n    const int64_t offset",
        "pulling_away",
        "plain",
        "wait at different barriers",
        quick=True,
    ),
    defect(
        "a lane takes no part in its warp's sum",
        "pulling_away pulling_away.cu",
        "  sum = warp_sum(sum);",
        "  if (lane != 31) sum = warp_sum(sum);",
        "pulling_away",
        "plain",
        r"deadlock: .*31 wait for lanes of their warp in .*reduce\.cuh:\d+",
        quick=True,
    ),
    defect(
        "a loop over columns takes one too many",
        "pulling_away pulling_away.cu",
        "j < columns; j += kRowThreads",
        "j <= columns; j += kRowThreads",
        "pulling_away",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*READ.*csrc/cuda/pulling_away\.cu:\d+",
    ),
    defect(
        "a sum is written one row behind its own",
        "pulling_away pulling_away.cu",
        "  squares[row] = sum;",
        "  squares[row + 1] = sum;",
        "pulling_away",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*WRITE.*csrc/cuda/pulling_away\.cu:\d+",
    ),
    defect(
        "blocks of rows overlap",
        "pulling_away pulling_away.cu",
        "int64_t{blockIdx.x} * kRows + threadIdx.x / kWarp",
        "int64_t{blockIdx.x} * (kRows - 1) + threadIdx.x / kWarp",
        "pulling_away",
        "races",
        r"race in global memory.*csrc/cuda/pulling_away\.cu",
    ),
)

GDL = (
    defect(
        "shared memory that nobody has written is added up",
        "gdl reduce.cuh",
        "warp_sum(lane < static_cast<int>(blockDim.x) / kWarp ? scratch[lane] : A(0))",
        "warp_sum(scratch[lane])",
        "prediction_loss",
        "races",
        r"reads shared memory in .*csrc/cuda/reduce\.cuh:\d+ that nobody has written",
    ),
    defect(
        "the last column reads a neighbour to its right",
        "gdl gdl_stencil.cuh",
        "const bool right = pairs && group + 1 < cut.groups;",
        "const bool right = pairs && group < cut.groups;",
        "prediction_loss",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/gdl_terms\.cuh:\d+",
    ),
    defect(
        "threads behind the last item work on one",
        "gdl gdl_stencil.cuh",
        "if (item < cut.items) {",
        "if (item < cut.items + 1) {",
        "prediction_loss",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/gdl_(stencil|terms)\.cuh:\d+",
    ),
    defect(
        "a level of the pyramid is averaged before the finer one is there",
        "gdl gdl_scales.cuh",
        "k < levels; ++k) {\n    __syncthreads();",
        "k < levels; ++k) {",
        "multiscale",
        "plain",
        "wrong: .* NaN",
    ),
    defect(
        "the coarsest level is read before it is there",
        "gdl gdl_scales.cuh",
        "    pyramid = coarser;\n  }\n  __syncthreads();",
        "    pyramid = coarser;\n  }",
        "pyramid",
        "races",
        "reads shared memory .* that nobody has written|race in shared memory",
    ),
)

LADDER = (
    defect(
        "a tile's sums are added before the other warps have theirs",
        "ladder ladder_tiles.cuh",
        "shared[warp][lane] = sums[k];\n    __syncthreads();",
        "shared[warp][lane] = sums[k];",
        "combinator",
        "plain",
        "wrong: .* NaN",
        quick=True,
    ),
    defect(
        "a tile's sums are overwritten by those of the next parameter",
        "ladder ladder_tiles.cuh",
        "to[(tile * kUnitSums + k) * units + unit] = total;\n    }\n    __syncthreads();",
        "to[(tile * kUnitSums + k) * units + unit] = total;\n    }",
        "combinator",
        "races",
        r"race in shared memory.*csrc/cuda/ladder_tiles\.cuh",
    ),
    defect(
        "lanes behind the last unit write rows",
        "ladder ladder_tiles.cuh",
        "    if (!has_unit()) end_row = 0;\n",
        "",
        "combinator",
        "races",
        r"race in global memory.*csrc/cuda/ladder_tiles\.cuh",
    ),
    defect(
        "lanes behind the last unit read parameters",
        "ladder ladder_tiles.cuh",
        "    if (!has_unit()) return of_unit;\n",
        "",
        "combinator",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/ladder_tiles\.cuh:\d+",
    ),
    defect(
        "a layer's sums are overwritten before all have read them",
        "ladder_layer ladder_layer.cuh",
        "totals[k] += shared[warp][lane];\n    __syncthreads();",
        "totals[k] += shared[warp][lane];",
        "ladder_layer",
        "races",
        r"race in shared memory.*csrc/cuda/ladder_layer\.cuh",
    ),
    defect(
        "lanes behind the last unit write a mean",
        "ladder_layer ladder_layer.cuh",
        "if (place.has_unit && place.first_row == 0) {\n    place.store(results.mean",
        "if (place.first_row == 0) {\n    place.store(results.mean",
        "ladder_layer",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*WRITE.*csrc/cuda/ladder_layer\.cuh:\d+",
    ),
    defect(
        "two blocks scale the same stretch of a gradient",
        "gradient gradient.cu",
        "range_of_part(elements, item % stretches, kStretch, aligned)",
        "range_of_part(elements, 0, kStretch, aligned)",
        "scale",
        "races",
        r"race in global memory.*csrc/cuda/",
        quick=True,
    ),
    defect(
        "a gradient is scaled in vectors that begin on none",
        "gradient gradient.cu",
        "static_cast<int>((kVectorBytes - past) % kVectorBytes / sizeof(T));",
        "static_cast<int>(past * 0);",
        "scale",
        "sanitizers",
        r"csrc/cuda/vector\.cuh:\d+.*misaligned address",
    ),
)

VALID_CONV = (
    defect(
        "a stage of pixels and maps is multiplied before other threads have copied theirs",
        "valid_conv valid_conv_mma.cuh",
        "    __syncthreads();\n    copy_chunk(stage == 0 ?",
        "    copy_chunk(stage == 0 ?",
        "conv",
        "plain",
        "wrong: ",
    ),
    defect(
        "a stage is multiplied while its copies are under way",
        "valid_conv valid_conv_mma.cuh",
        "wait_for_stage<Tile::kStages - 2>();",
        "wait_for_stage<Tile::kStages - 1>();",
        "conv",
        "plain",
        "wrong: ",
    ),
    defect(
        "operands of mma are exchanged",
        "valid_conv valid_conv_tensor_core.cuh",
        '"r"(left[1]), "r"(left[2])',
        '"r"(left[2]), "r"(left[1])',
        "conv",
        "plain",
        "wrong: result",
    ),
    defect(
        "vectors are copied without the swizzle that they are read with",
        "valid_conv valid_conv_mma.cuh",
        "shared[stage] + math::row_tile_vector(copy_row, copy_vector)",
        "shared[stage] + copy_row * math::kRowVectors + copy_vector",
        "conv",
        "plain",
        "wrong: result",
    ),
    defect(
        "copies read where there is padding",
        "valid_conv valid_conv_tensor_core.cuh",
        "const int bytes = inside ? 16 : 0;",
        "const int bytes = inside ? 16 : 16;",
        "conv",
        "plain",
        "wrong: result",
    ),
    defect(
        "windows of a weight gradient are overwritten before all have copied",
        "valid_conv valid_conv_weights.cuh",
        "  copy_chunk(1, 1);\n  __syncthreads();",
        "  copy_chunk(1, 1);",
        "conv",
        "plain",
        "wrong: result",
    ),
    defect(
        "terms of the next chunk overwrite those that are multiplied",
        "valid_conv valid_conv_direct.cuh",
        "step_at(layer.from, layer.weight, (chunk + 2) * kDepth + thread);\n    }\n    __syncthreads();",
        "step_at(layer.from, layer.weight, (chunk + 2) * kDepth + thread);\n    }",
        "conv_direct",
        "plain",
        "wrong: ",
    ),
    defect(
        "weights of few maps are read before they are staged",
        "valid_conv valid_conv_few.cuh",
        "    __syncthreads();\n    const Maps* weights = staged;",
        "    const Maps* weights = staged;",
        "conv_few",
        "plain",
        "wrong: .* NaN",
    ),
    defect(
        "a packed tile is read before it is there",
        "valid_conv valid_conv_pack.cuh",
        "      tile[channel][pixel] = value;\n    }\n    __syncthreads();",
        "      tile[channel][pixel] = value;\n    }",
        "conv",
        "plain",
        "wrong: ",
    ),
)

DEFECTS = (*ENERGY, *PULLING_AWAY, *GDL, *LADDER, *VALID_CONV)
