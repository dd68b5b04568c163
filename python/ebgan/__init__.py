"""The systems of "Energy-Based GANs & other Adversarial things", ready to train.

`ebgan` is the training code on top of `ebgan_kernels`: networks by name, data sets by name, one training
loop and one command line (`ebgan --help`). The networks need torch alone; training needs the extra
`ebgan-kernels[train]`, asked for when a command first uses it and not by `import ebgan`.

After `import ebgan`, its sub-packages are there as `ebgan.gan`, `ebgan.video`, `ebgan.ladder`,
`ebgan.disentangle`, `ebgan.energies`, `ebgan.data`, `ebgan.training` and `ebgan.pictures`. Each is imported
at its first use, since they take torch, which takes seconds to import; `import ebgan` takes none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ebgan.errors import MissingExtra, UserError
from ebgan_kernels.version import __version__

if TYPE_CHECKING:
    from ebgan import data, disentangle, energies, gan, ladder, pictures, training, video

_SUBPACKAGES = ("data", "disentangle", "energies", "gan", "ladder", "pictures", "training", "video")

__all__ = [
    "MissingExtra",
    "UserError",
    "__version__",
    "data",
    "disentangle",
    "energies",
    "gan",
    "ladder",
    "pictures",
    "training",
    "video",
]


if not TYPE_CHECKING:  # a type checker would take any name for an attribute

    def __getattr__(name: str) -> object:
        if name in _SUBPACKAGES:
            return importlib.import_module(f"ebgan.{name}")
        known = ", ".join(_SUBPACKAGES)
        raise AttributeError(f"module 'ebgan' has no attribute {name!r}; its sub-packages are {known}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
