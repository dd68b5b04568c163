"""Download of one file over HTTP: it is whole and verified under its final name, or not there at all."""

from __future__ import annotations

import hashlib
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from ebgan.data.errors import DataError
from ebgan.errors import require

_BLOCK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 30


def fetch_file(url: str, path: Path, sha256: str, progress: bool = True) -> None:
    """Fetch ``url`` to ``path``, unless a file with the right checksum is there.

    The body streams to ``path`` + ``.part``, which takes the final name in one step once its length and
    checksum are right, and is removed otherwise. Another file under the final name is replaced only then.

    Args:
        url: address of the file.
        path: where it goes; missing folders are made.
        sha256: hexadecimal digest of the file.
        progress: show a bar where the output is a terminal.

    Raises:
        DataError: no connection, an HTTP error, a body cut short, a wrong checksum, or no right to write.
    """
    if not url.startswith(("http://", "https://")):
        raise DataError(f"cannot fetch {url!r}: the address must begin with http:// or https://")
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists() and _sha256_of(path) == sha256:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            found = _stream(url, part, progress)
            if found != sha256:
                raise DataError(
                    f"{url} is damaged or another file: its SHA-256 is {found}, expected {sha256}; "
                    "try again, or another base_url"
                )
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except HTTPError as error:
        raise DataError(
            f"cannot fetch {url}: the server answered {error.code} {error.reason}; try another base_url"
        ) from error
    except URLError as error:
        raise DataError(f"cannot fetch {url}: {error.reason}; is there a network connection?") from error
    except (TimeoutError, ConnectionError, SSLError, HTTPException) as error:
        raise DataError(f"cannot fetch {url}: the connection broke ({error}); try again") from error
    except OSError as error:
        raise DataError(f"cannot write {error.filename or part}: {error.strerror}") from error


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _stream(url: str, part: Path, progress: bool) -> str:
    """Write the body of ``url`` to ``part`` and return its SHA-256."""
    tqdm = require("tqdm").tqdm
    digest = hashlib.sha256()
    with urlopen(url, timeout=_TIMEOUT_SECONDS) as response, part.open("wb") as file:
        announced = _content_length(response)
        received = 0
        with tqdm(
            total=announced, desc=part.stem, unit="B", unit_scale=True, disable=None if progress else True
        ) as bar:
            while block := response.read(_BLOCK_BYTES):
                file.write(block)
                digest.update(block)
                received += len(block)
                bar.update(len(block))
    # http.client ends a sized read quietly when the server hangs up early.
    if announced is not None and received != announced:
        raise DataError(
            f"cannot fetch {url}: the connection ended after {received} of {announced} bytes; try again"
        )
    return digest.hexdigest()


def _content_length(response: HTTPResponse) -> int | None:
    header = response.headers.get("Content-Length")
    return int(header) if header is not None else None
