"""The parts of a PNG file that make its picture."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Size and kind, palette, what is transparent, pixels, end; the orientation is left out where it is damaged.
PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
ORIENTATION = b"eXIf"


def without_metadata(content: bytes) -> bytes:
    """The PNG file `content` without text, colour profiles, times and damaged orientations.

    A fault in these, such as a wrong checksum or a text of gigabytes, must not lose the picture, which every
    browser shows. A fault in another part is left for the decoder to find, as is a file cut short.

    Example:
        >>> chunk = lambda kind: struct.pack(">I", 0) + kind + struct.pack(">I", zlib.crc32(kind))
        >>> without_metadata(SIGNATURE + chunk(b"tEXt") + chunk(b"IEND")) == SIGNATURE + chunk(b"IEND")
        True
    """
    kept = [SIGNATURE]
    place = len(SIGNATURE)
    while place + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        kind = content[place + 4 : place + 8]
        chunk = content[place : place + length + 12]
        if kind in PICTURE or (kind == ORIENTATION and _is_whole(chunk)):
            kept.append(chunk)
        place += length + 12
        if kind == b"IEND":
            break
    return b"".join(kept)


def _is_whole(chunk: bytes) -> bool:
    return chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))
