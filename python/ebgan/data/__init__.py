"""Data sets by name, and training batches made from them.

``load`` reads a set into memory, ``open_set`` where it fits, ``download`` fetches one.
``Batches`` shuffles, crops, mirrors and scales.
``load_clips`` opens a set of video clips, ``ClipBatches`` takes moving patches from it,
which ``ClipAugmentation`` changes at random.
A new set is a file of this folder with a ``Source`` or ``ClipSource``, registered below.
"""

from __future__ import annotations

from ebgan.data import digits, images, mnist, moving_digits, norb, sprites, turntable, ucf101, videos, yale_b
from ebgan.data.batches import Batches
from ebgan.data.clip_augmentation import ClipAugmentation
from ebgan.data.clip_batches import ClipBatches
from ebgan.data.clip_registry import (
    ClipSource,
    clip_names,
    clip_sources,
    has_test_clips,
    load_clips,
    register_clips,
)
from ebgan.data.clip_set import Clip, ClipSet
from ebgan.data.errors import DataError
from ebgan.data.image_files import ImageFiles
from ebgan.data.image_set import Factor, ImageSet
from ebgan.data.moving_digits import MovingDigits
from ebgan.data.registry import Source, download, load, names, open_set, register, sources
from ebgan.data.video_file import open_video, read_video

for _source in (
    digits.SOURCE,
    images.SOURCE,
    *mnist.SOURCES,
    norb.SOURCE,
    sprites.SOURCE,
    turntable.SOURCE,
    yale_b.SOURCE,
):
    register(_source)
for _clip_source in (moving_digits.SOURCE, ucf101.SOURCE, videos.SOURCE):
    register_clips(_clip_source)

__all__ = [
    "Batches",
    "Clip",
    "ClipAugmentation",
    "ClipBatches",
    "ClipSet",
    "ClipSource",
    "DataError",
    "Factor",
    "ImageFiles",
    "ImageSet",
    "MovingDigits",
    "Source",
    "clip_names",
    "clip_sources",
    "download",
    "has_test_clips",
    "load",
    "load_clips",
    "names",
    "open_set",
    "open_video",
    "read_video",
    "register",
    "register_clips",
    "sources",
]
