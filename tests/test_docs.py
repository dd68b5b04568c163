"""The pages in docs/ run and lead to files that are there and small."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
EVERY = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


@EVERY
def test_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert len(links) > 20 or page.name != "energies.md"


@EVERY
def test_pictures_are_small_and_whole(page):
    pictures = re.findall(r"\]\(([^)]+\.png)\)", page.read_text())
    for picture in pictures:
        file = page.parent / picture
        assert file.stat().st_size < 200_000, picture
        Image.open(file).load()


@EVERY
def test_code_runs(page, tmp_path):
    for script in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        ran = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert ran.returncode == 0, ran.stderr


def test_the_page_of_energies_shows_every_learner():
    from ebgan.energies import KINDS

    shown = re.findall(r"pictures/energies/([\w-]+)\.png", (DOCS / "energies.md").read_text())
    assert set(KINDS) <= set(shown)
    words = (DOCS / "energies.md").read_text().lower()
    assert all(
        kind.title.lower() in words for kind in KINDS.values() if kind.title != "minimum probability flow"
    )
