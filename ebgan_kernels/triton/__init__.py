"""The operators in Triton. Only this package imports ``triton``, at the first call that asks for it.

A family is one file ``<family>`` or, where that would be long, several: ``<family>_math`` holds formulas,
``<family>_kernels`` kernels and their memory traffic, ``<family>`` operators. The operator that all families
share is registered with the first of them.
"""

from ebgan_kernels.triton import gradient as gradient
