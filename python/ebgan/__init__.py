"""The systems of "Energy-Based GANs & other Adversarial things", ready to train.

`ebgan` is the training code on top of `ebgan_kernels`: networks by name, data sets by name, one training
loop and one command line (`ebgan --help`). The networks need torch alone; training needs the extra
`ebgan-kernels[train]`, asked for when a command first uses it and not by `import ebgan`.
"""

from __future__ import annotations

from ebgan.errors import MissingExtra, UserError
from ebgan_kernels.version import __version__

__all__ = ["MissingExtra", "UserError", "__version__"]
