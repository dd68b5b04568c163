"""The operator families: the one list from which everything that goes over all of them is derived.

From it come the native operators and their fake kernels, Triton's, the cases of the self-check, the
benchmarks and what the GPU check runs of them, and the tests that hold for every operator.
"""

OPERATOR_FAMILIES = ("energy", "pulling_away", "gdl", "valid_conv", "ladder")
