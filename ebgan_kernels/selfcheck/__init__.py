"""``python -m ebgan_kernels --check`` checks every operator on every implementation that can run here.

The check is part of the installed package, for users who have a GPU but not the tests; its results go into a
file to send with a report of a bug. ``import ebgan_kernels`` imports nothing of this package.
"""
