"""Data sets by name, and training batches made from them.

``load`` reads a set into memory, ``download`` fetches one, ``Batches`` shuffles, crops, mirrors and scales.
A new set is a file of this folder with a ``Source``, registered below.
"""

from __future__ import annotations

from ebgan.data import digits, images, mnist
from ebgan.data.batches import Batches
from ebgan.data.errors import DataError
from ebgan.data.image_set import ImageSet
from ebgan.data.registry import Source, download, load, names, register

for _source in (digits.SOURCE, images.SOURCE, *mnist.SOURCES):
    register(_source)

__all__ = ["Batches", "DataError", "ImageSet", "Source", "download", "load", "names", "register"]
