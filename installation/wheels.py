"""Names of wheels, and what an editable one and the package index are given."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.editable_wheel import editable_wheel

from surroundings import ROOT, target

if TYPE_CHECKING:
    from wheel.wheelfile import WheelFile


class Wheel(bdist_wheel):
    """The wheel of this Python, or of every Python with EBGAN_KERNELS_PYTHONS or EBGAN_KERNELS_TARGET.

    The operators need no Python. ``_host`` is there for each Python that was named, and for none of another
    architecture; for others NumPy takes its place, which a wheel that is built on the user's own machine must
    not do unasked.
    """

    def get_tag(self) -> tuple[str, str, str]:
        python, abi, platform = super().get_tag()
        if name := target():
            platform = f"linux_{name}"
        if glibc := os.environ.get("EBGAN_KERNELS_GLIBC"):
            platform = platform.replace("linux", f"manylinux_{glibc.replace('.', '_')}", 1)
        if os.environ.get("EBGAN_KERNELS_PYTHONS") or target():
            python, abi = "py3", "none"
        return python, abi, platform


class PathsOfEditable:
    """What an editable wheel holds: a .pth file with the folders of the packages.

    Type checkers read such folders. The import hook that setuptools would install for packages in two folders
    is code, which mypy and pyright do not run.
    """

    def __enter__(self) -> PathsOfEditable:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, wheel: WheelFile, files: list[str], mapping: dict[str, str]) -> None:
        wheel.writestr("__editable__.ebgan_kernels.pth", f"{ROOT}\n{ROOT / 'python'}\n")


class EditableWheel(editable_wheel):
    """Editable installs that type checkers see; under a setuptools that does not ask for the strategy, the
    packages are imported just as well, by its hook.
    """

    def _select_strategy(self, *_: object) -> PathsOfEditable:
        return PathsOfEditable()


def absolute_links(text: str, source: str, version: str) -> str:
    """A page with its links into the checkout turned into links to the source of that version."""

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['text']}]({source}/{kind}/v{version}/{link['path']})"

    return re.sub(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)]+)\)", absolute, text)
