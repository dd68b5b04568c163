"""What every copy leaves out, so that it compiles in seconds: types and tiles that no workload uses."""

from __future__ import annotations

from building import Edit

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
        "return dtype == Dtype::kFloat64 ? body.template operator()<double>()"
        " : body.template operator()<float>();",
        "static_cast<void>(dtype);\n  return body.template operator()<float>();",
    ),
)
# The types of the two units of the ladder family.
ONE_LADDER_TYPE = (
    *ONE_TYPE,
    Edit(
        "cuda/ladder_tiles.cuh",
        "    if (tensor->dtype == Dtype::kFloat64) return body.template operator()<double, false>();\n",
        "",
    ),
    Edit(
        "cuda/ladder_tiles.cuh",
        "mixed ? body.template operator()<float, true>() : body.template operator()<float, false>();",
        "if (!mixed) body.template operator()<float, false>();",
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
            "extent.rows > 1 ? stencil_of<A, exponent, 3>(plan.width, need_target)",
            "extent.rows > 1 ? nullptr",
        ),
    ),
    "ladder": ONE_LADDER_TYPE,
    "ladder_layer": ONE_LADDER_TYPE,
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
