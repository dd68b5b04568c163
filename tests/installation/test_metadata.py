"""What the package index shows, the names of wheels, and one place for the version."""

from __future__ import annotations

import pathlib
import re

import pytest
from setuptools.dist import Distribution

import ebgan_kernels
from wheels import Wheel, absolute_links

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = "https://example.org/project"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("see [docs](docs/page.md).", f"see [docs]({SOURCE}/blob/v1.2/docs/page.md)."),
        ("![a b](docs/x.png)", f"![a b]({SOURCE}/raw/v1.2/docs/x.png)"),
        ("[there](https://example.com/x)", "[there](https://example.com/x)"),
        ("[below](#speed)", "[below](#speed)"),
        (
            "[strip](a.png)) and ([b](c))",
            f"[strip]({SOURCE}/blob/v1.2/a.png)) and ([b]({SOURCE}/blob/v1.2/c))",
        ),
    ],
)
def test_links_into_the_checkout_become_absolute(link: str, expected: str) -> None:
    assert absolute_links(link, SOURCE, "1.2") == expected


def test_no_link_of_the_readme_is_relative_on_the_index_and_each_leads_to_a_file() -> None:
    page = absolute_links((ROOT / "README.md").read_text(), SOURCE, "1.2")
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) > 30 and [link for link in links if not link.startswith(("https://", "#"))] == []
    own = [re.sub(r"^.*/v1\.2/", "", link) for link in links if link.startswith(SOURCE)]
    assert [path for path in own if not (ROOT / path).exists()] == []


def tag(monkeypatch: pytest.MonkeyPatch, pythons: str, glibc: str) -> tuple[str, str, str]:
    monkeypatch.setenv("EBGAN_KERNELS_PYTHONS", pythons)
    monkeypatch.setenv("EBGAN_KERNELS_GLIBC", glibc)
    wheel = Wheel(Distribution({"name": "ebgan-kernels", "ext_modules": [object()]}))
    wheel.plat_name, wheel.plat_name_supplied = "linux-x86_64", True
    wheel.root_is_pure = False
    return wheel.get_tag()


def test_a_wheel_is_for_one_python_unless_pythons_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    python, abi, platform = tag(monkeypatch, "", "")
    assert python.startswith("cp3") and abi.startswith("cp3") and platform == "linux_x86_64"
    assert tag(monkeypatch, "python3.10 python3.13", "2.28") == ("py3", "none", "manylinux_2_28_x86_64")


def test_a_wheel_for_another_architecture_is_for_every_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBGAN_KERNELS_TARGET", "aarch64")
    assert tag(monkeypatch, "", "2.28") == ("py3", "none", "manylinux_2_28_aarch64")


def test_the_version_is_written_in_one_place_and_the_changelog_knows_it() -> None:
    version = ebgan_kernels.__version__
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()
    for name in ("pyproject.toml", "setup.py", "CITATION.cff", "CMakeLists.txt"):
        assert f'"{version}"' not in (ROOT / name).read_text(), name
    assert not re.search(r"^version:", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)


def test_the_papers_to_cite_are_those_of_the_readme() -> None:
    cited = set(re.findall(r"arXiv[:.](\d{4}\.\d{5})", (ROOT / "CITATION.cff").read_text()))
    assert cited == set(re.findall(r"arXiv:(\d{4}\.\d{5})", (ROOT / "README.md").read_text()))
