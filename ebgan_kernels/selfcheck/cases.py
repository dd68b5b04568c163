"""The cases of each operator: the sizes and dtypes at which kernels take different paths.

Every operator has cases in float32, in a half type and in float64. Some have few elements; only those does a
simulation of kernels on the CPU finish in time. Sizes are odd where rows should not begin at a multiple of a
vector.
"""

from __future__ import annotations

from ebgan_kernels.selfcheck.builders import (
    BRAIN,
    DOUBLE,
    HALF,
    SINGLE,
    conv,
    denoising,
    energy,
    gdl,
    generator_with_codes,
    hinge,
    layer,
    multiscale,
    multiscale_conv,
    pulling_away,
    pyramid,
)

# On a GPU one block takes a whole sample of the first size and a cluster of blocks one of the second; two
# passes go over a sample of the third.
ONE_BLOCK, CLUSTER, TWO_PASSES = (3, 64, 64), (3, 128, 128), (500_001,)
FEW_SCALES = ((2, 3, 4, 4, 5, 3, 3), (3, 2, 3, 3, 17, 3, 3))
# The first layers of the discriminator of 4 to 1.
FOUR_SCALES = (
    (2, 15, 4, 4, 64, 3, 3),
    (2, 15, 8, 8, 64, 3, 3),
    (2, 15, 16, 16, 128, 5, 5),
    (2, 15, 32, 32, 128, 7, 7),
)

ENERGY = (
    energy("reconstruction_energy", (3, 5, 7)),
    energy("reconstruction_energy", (3, 5, 7), "l1", dtypes=(BRAIN, SINGLE)),
    energy("reconstruction_energy", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    energy("reconstruction_energy", ONE_BLOCK, "squared_l2", dtypes=(HALF,), layout="channels-last"),
    energy("reconstruction_energy", (783,), "mse", layout="misaligned"),
    energy("reconstruction_energy", CLUSTER),
    energy("reconstruction_energy", TWO_PASSES, "l1"),
    hinge(3, 4),
    hinge(64, 65, shaping="square", dtypes=(HALF,)),
    hinge(64, 64, dtypes=(BRAIN, SINGLE)),
    hinge(3, 4, shaping="square", dtypes=(DOUBLE,)),
    hinge(5000, 3001),
    energy("discriminator_loss", (3, 5, 7)),
    energy("discriminator_loss", (3, 5, 7), "mse", shaping="square", dtypes=(BRAIN, SINGLE)),
    energy("discriminator_loss", (3, 5, 7), dtypes=(DOUBLE,)),
    energy("discriminator_loss", ONE_BLOCK, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    energy("discriminator_loss", (783,), "l1", dtypes=(HALF,), layout="misaligned"),
    energy("discriminator_loss", CLUSTER, "squared_l2"),
    energy("discriminator_loss", TWO_PASSES),
    energy("generator_loss", (3, 5, 7)),
    energy("generator_loss", (3, 5, 7), "l1", shaping="square", dtypes=(HALF,)),
    energy("generator_loss", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    generator_with_codes((3, 5, 7), 33, (SINGLE,)),
    generator_with_codes(ONE_BLOCK, 1000, (BRAIN, SINGLE)),
    energy("generator_loss", TWO_PASSES, dtypes=(BRAIN,)),
)
PULLING_AWAY = (
    pulling_away(5, 64),
    pulling_away(33, 40, (BRAIN,)),
    pulling_away(7, 3, (HALF,)),
    pulling_away(9, 33, (DOUBLE,)),
    pulling_away(300, 20),
    pulling_away(1030, 1100),
)
GDL = (
    gdl("gradient_difference_loss", (2, 3, 6, 10)),
    gdl("gradient_difference_loss", (2, 3, 7, 9), alpha=2.0, dtypes=(BRAIN, SINGLE)),
    gdl("gradient_difference_loss", (2, 3, 4, 6, 10), alpha=1.5, spatial_dims=3, reduction="none"),
    gdl("gradient_difference_loss", (2, 3, 6, 10), alpha=1.5, dtypes=(DOUBLE,)),
    gdl("gradient_difference_loss", (8, 3, 65, 127), alpha=2.0),
    gdl("gradient_difference_loss", (2, 17, 33, 64), alpha=1.0, spatial_dims=3, dtypes=(HALF,)),
    gdl("prediction_loss", (2, 3, 6, 10), p=1, alpha=1.0),
    gdl("prediction_loss", (2, 3, 7, 9), p=2, alpha=1.5, reduction="sum", dtypes=(HALF,)),
    gdl("prediction_loss", (2, 3, 6, 10), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    gdl("prediction_loss", (3, 3, 4, 6, 10), p=2, alpha=2.0, spatial_dims=3, reduction="none"),
    gdl("prediction_loss", (8, 3, 64, 64), p=1, alpha=1.0, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    gdl("prediction_loss", (2, 3, 33, 1030), p=2, alpha=2.0, layout="misaligned"),
    multiscale(2, (2, 3, 12, 20), p=1, alpha=1.0),
    multiscale(2, (1, 3, 12, 20), p=2, alpha=1.5, dtypes=(BRAIN, SINGLE)),
    multiscale(2, (1, 3, 12, 20), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    multiscale(2, (1, 3, 12, 20), p=1, alpha=1.0, target_wants_gradient=True),
    multiscale(4, (4, 24, 32, 32), p=2, alpha=1.0),
    multiscale(4, (1, 3, 200, 48), p=2, alpha=2.0, dtypes=(HALF, HALF)),
    pyramid(3, (2, 3, 12, 20)),
    pyramid(2, (2, 3, 6, 10), (BRAIN,)),
    pyramid(2, (2, 3, 6, 10), (DOUBLE,)),
    pyramid(4, (4, 3, 136, 72)),
    pyramid(4, (4, 3, 64, 64), (HALF,)),
)
LADDER = (
    *(
        case
        for operator in ("gaussian_combinator", "ladder_denoising_cost")
        for case in (
            denoising(operator, 6, 10),
            denoising(operator, 9, 33, dtypes=(BRAIN, SINGLE)),
            denoising(operator, 6, 10, leading=(2, 2), dtypes=(HALF,)),
            denoising(operator, 6, 10, dtypes=(DOUBLE,)),
            denoising(operator, 100, 784),
            denoising(operator, 129, 250, leading=(3,), dtypes=(BRAIN, SINGLE)),
        )
    ),
    layer((2,), 6, 10, ("noise", "beta"), "relu"),
    layer((2, 2), 6, 10, ("noise", "beta", "gamma"), "none", (BRAIN, SINGLE)),
    layer((1,), 6, 33, ("gamma",), "relu", (HALF,)),
    layer((1,), 9, 33, (), "none"),
    layer((2,), 6, 10, ("noise", "beta", "gamma"), "relu", (DOUBLE,)),
    layer((2,), 100, 784, ("noise", "beta", "gamma"), "relu"),
    layer((3, 2), 65, 81, ("noise", "beta"), "relu", (BRAIN, SINGLE)),
)
# These are thin layers and layers that tensor cores take, with every activation.
VALID_CONV = (
    conv((2, 2, 4, 5, 3, 2, 3), "relu"),
    conv((2, 2, 4, 5, 3, 2, 3), "tanh", (BRAIN,), "channels-last"),
    conv((2, 16, 5, 4, 17, 3, 2), "leaky_relu", (HALF,)),
    conv((1, 1, 9, 5, 1, 1, 1), "none", (DOUBLE,)),
    conv((3, 3, 34, 33, 16, 3, 3), "leaky_relu", layout="channels-last"),
    conv((2, 64, 20, 20, 128, 5, 5), "relu"),
    conv((2, 64, 20, 20, 128, 5, 5), "tanh", (BRAIN,), "channels-last"),
    conv((4, 128, 6, 6, 256, 3, 3), "leaky_relu", (HALF,)),
    conv((4, 256, 8, 8, 256, 5, 5), "tanh", layout="channels-last"),
    conv((2, 128, 12, 12, 3, 3, 3), "none", (BRAIN,)),
    multiscale_conv(FEW_SCALES, "relu"),
    multiscale_conv(FEW_SCALES, "leaky_relu", (BRAIN,), "channels-last"),
    multiscale_conv(FEW_SCALES, "tanh", (HALF,)),
    multiscale_conv(FEW_SCALES, "none", (DOUBLE,)),
    multiscale_conv(FOUR_SCALES, "relu"),
    multiscale_conv(FOUR_SCALES, "relu", (BRAIN,), "channels-last"),
)
CASES = (*ENERGY, *PULLING_AWAY, *GDL, *LADDER, *VALID_CONV)
