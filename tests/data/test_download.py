"""Downloads, from a server on loopback: whole and verified, or one line and nothing left behind."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ebgan.data import DataError, download
from ebgan.data.download import fetch_file
from ebgan.data.mnist import IdxRelease, download_release

NAMES = ("train-images", "train-labels", "test-images", "test-labels")
FILES = {name: name.encode() * 1000 for name in NAMES}


class Server(ThreadingHTTPServer):
    """Serves FILES; a test makes it misbehave through `broken`: path -> what happens there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.broken: dict[str, str] = {}
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/data"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/data/")
        self.server.requests.append(name)
        fault = self.server.broken.get(name)
        if fault == "hang up":
            return
        if fault == "missing" or name not in FILES:
            self.send_error(404)
            return
        body = FILES[name]
        self.send_response(200)
        if fault != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "cut":
            body = body[: len(body) // 2]
        elif fault == "other":
            body = body[::-1]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def release(server: Server) -> IdxRelease:
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in FILES.items()}
    return IdxRelease(name="small", about="small pictures", classes=("a",), base_url=server.url, sha256=sums)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fetch(release: IdxRelease, root: Path, base_url: str | None = None) -> Path:
    return download_release(release, root, base_url, progress=False)


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


def test_every_file_arrives_and_none_is_fetched_twice(
    server: Server, release: IdxRelease, tmp_path: Path
) -> None:
    root = tmp_path / "not" / "yet" / "made"
    assert fetch(release, root) == root / "small"
    assert contents(root / "small") == FILES
    assert fetch(release, root) == root / "small"
    assert server.requests == list(NAMES)


def test_a_base_url_takes_the_place_of_the_address(
    server: Server, release: IdxRelease, tmp_path: Path
) -> None:
    elsewhere = IdxRelease("small", "small pictures", ("a",), "http://127.0.0.1:1/nothing", release.sha256)
    fetch(elsewhere, tmp_path, f"{server.url}/")
    assert contents(tmp_path / "small") == FILES


def test_a_body_without_a_length_is_verified_by_its_checksum(
    server: Server, release: IdxRelease, tmp_path: Path
) -> None:
    server.broken = dict.fromkeys(FILES, "no length")
    fetch(release, tmp_path)
    assert contents(tmp_path / "small") == FILES


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "the server answered 404 Not Found"),
        ("hang up", "the connection broke (Remote end closed connection without response); try again"),
        ("cut", "the connection ended after 5500 of 11000 bytes"),
        ("other", "is damaged or another file: its SHA-256 is"),
    ],
)
def test_a_failed_download_leaves_nothing_broken_and_the_next_goes_on_there(
    server: Server, release: IdxRelease, tmp_path: Path, fault: str, message: str
) -> None:
    server.broken = {"test-images": fault}
    with raises(message):
        fetch(release, tmp_path)
    assert set(contents(tmp_path / "small")) == {"train-images", "train-labels"}
    server.broken, server.requests = {}, []
    fetch(release, tmp_path)
    assert contents(tmp_path / "small") == FILES
    assert server.requests == ["test-images", "test-labels"]


def test_a_damaged_file_is_replaced_and_kept_while_its_replacement_fails(
    server: Server, release: IdxRelease, tmp_path: Path
) -> None:
    fetch(release, tmp_path)
    damaged = tmp_path / "small" / "train-labels"
    damaged.write_bytes(b"damaged")
    server.broken = {"train-labels": "cut"}
    with raises("the connection ended"):
        fetch(release, tmp_path)
    assert damaged.read_bytes() == b"damaged"
    server.broken = {}
    fetch(release, tmp_path)
    assert contents(tmp_path / "small") == FILES


def test_no_connection_is_one_line_with_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as bound:  # bound but not listening: it refuses, and nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(DataError, match=f"^cannot fetch {url}/train-.*refused; is there a network"):
            download("mnist", tmp_path, base_url=url, progress=False)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with raises("the address must begin with http:// or https://"):
        download("mnist", tmp_path, base_url="mirror/mnist")


def test_a_root_that_cannot_hold_files_is_named(server: Server, release: IdxRelease, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with raises(f"cannot write {blocked}/small: Not a directory"):
        fetch(release, blocked)


def test_the_bar_is_silent_where_the_output_is_no_terminal(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, body = next(iter(FILES.items()))
    fetch_file(f"{server.url}/{name}", tmp_path / name, hashlib.sha256(body).hexdigest(), progress=True)
    assert capsys.readouterr() == ("", "")


def test_an_embedded_set_has_nothing_to_download(tmp_path: Path) -> None:
    with raises("'digits' is embedded or your own: there is nothing to download"):
        download("digits", tmp_path)
