"""The operators in Triton: imported where a call asks for them, and the only package that imports ``triton``.

A family is the file ``<family>`` or, where that would be long, three: ``<family>_math`` (formulas),
``<family>_kernels`` (traffic) and ``<family>`` (operators). What all families need is registered with the
first of them.
"""

from ebgan_kernels.triton import gradient as gradient
