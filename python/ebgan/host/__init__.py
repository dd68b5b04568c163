"""What prepares data on the host: IDX files, scaled pictures, batches of images and moving patches of clips.

The C++ module ``ebgan._host`` does it where it was compiled for this Python, and
:mod:`ebgan.host.reference`, in NumPy, elsewhere: both give the same bits. A module that is there and does not
load is an error. Milliseconds of either (AMD EPYC, one thread, 2026-11-28)::

                                                        C++   NumPy
    64 images 3x64x64, cropped and mirrored            0.24    1.02
    128 digits, padded to 32x32                        0.04    0.89
    a picture 128x128 scaled to 64x64                  0.06    1.21
    8 clips of 5 frames 32x32, at four scales          0.04    0.34
    an IDX file of 10,000 digits                       0.21    0.21
"""

from importlib.util import find_spec

COMPILED = find_spec("ebgan._host") is not None

if COMPILED:
    from ebgan._host import clip_batch, image_batch, parse_idx, resample
else:
    from ebgan.host.reference import clip_batch, image_batch, parse_idx, resample

__all__ = ["COMPILED", "clip_batch", "image_batch", "parse_idx", "resample"]
