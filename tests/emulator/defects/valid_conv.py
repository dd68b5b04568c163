"""Defects of valid convolutions."""

from __future__ import annotations

from defects.defect import defect

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
        "shared[stage] + row_tile_vector(copy_row, copy_vector)",
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
        "places of terms are read before they are there",
        "valid_conv valid_conv_direct.cuh",
        "step_at(layer.from, layer.weight, thread);\n  __syncthreads();",
        "step_at(layer.from, layer.weight, thread);",
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
