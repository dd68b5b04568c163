"""``python -m ebgan_kernels --check``: every operator on every implementation that is here, checked.

It is part of the installed package, for those who have a GPU and not the tests: what it finds wrong goes into
a file to send. Nothing here is imported by ``import ebgan_kernels``.
"""
