"""The page of surfaces, in a browser without a network."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from ebgan.energies import PCA, KMeans, point_set
from ebgan.energies.page import TOP, write_page
from ebgan.energies.surfaces import surface, surface_grid

DATA = point_set("spiral", count=200)
LEARNERS = {"PCA": PCA(), "K-means": KMeans()}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOFTWARE = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a GPU
SETTLED = 60_000  # milliseconds within which a drawing must come, with other work beside it


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    surfaces = []
    for strategy, (title, learner) in enumerate(LEARNERS.items(), 1):
        learner.fit(DATA.points)
        on = float(np.median(learner.energy(DATA.held_out)))
        surfaces.append((strategy, surface(title, learner.energy(surface_grid()), on, on + 0.5)))
    path = tmp_path_factory.mktemp("page") / "surfaces.html"
    write_page("a < b", surfaces, DATA.points, path)
    return path


def test_the_page_is_one_file_that_names_no_other(page_file):
    text = page_file.read_text()
    assert text.startswith("<!DOCTYPE html>") and "points of a &lt; b." in text
    outside = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](?!data:)[^\"']*", text)
    assert outside == []


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"there is no browser here: install one of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=SOFTWARE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser, page_file):
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SETTLED)
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_selector(".legendtoggle")
    return page


def shown(page) -> dict[str, bool]:
    """Whether each trace of the plot is turned on."""
    state = "() => document.querySelector('.js-plotly-plot').data.map(each => [each.name, each.visible])"
    return {name: visible in (True, None) for name, visible in page.evaluate(state)}


def turn(page, name: str) -> None:
    before = shown(page)[name]
    position = list(shown(page)).index(name)
    page.locator(".legendtoggle").nth(position).click()
    wanted = (
        "([name, before]) => [true, undefined].includes("
        "document.querySelector('.js-plotly-plot').data.find(each => each.name == name).visible) != before"
    )
    page.wait_for_function(wanted, arg=[name, before])


@pytest.mark.slow
def test_learners_are_turned_on_and_off_without_a_network(page, page_file):
    assert shown(page) == {"PCA": True, "K-means": False, "data": True}
    turn(page, "K-means")
    turn(page, "PCA")
    assert shown(page) == {"PCA": False, "K-means": True, "data": True}
    turn(page, "PCA")
    turn(page, "K-means")
    assert shown(page) == {"PCA": True, "K-means": False, "data": True}
    assert page.asked == [page_file.as_uri()] and page.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("title", LEARNERS)
def test_the_pointer_reads_the_energy_of_the_learner_that_is_on(page, title):
    for name in LEARNERS:
        if shown(page)[name] != (name == title):
            turn(page, name)
    read = []
    for x, y in ((500, 450), (420, 500), (600, 400)):
        page.mouse.move(x, y)
        page.mouse.move(x + 3, y + 2, steps=4)
        page.wait_for_function(
            "title => [...document.querySelectorAll('g.hovertext')].some(e => e.textContent.includes(title))",
            arg=title,
        )
        words = page.locator("g.hovertext").first.text_content()
        numbers = re.fullmatch(rf"{title}\((\S+), (\S+)\)energy: (\S+)", words.replace("\u2212", "-"))
        assert numbers, words
        read.append([float(number) for number in numbers.groups()])
    points, energies = np.array(read)[:, :2], np.array(read)[:, 2]
    assert len(np.unique(points, axis=0)) > 1, "it moved"
    # Points are read to two digits and belong to the nearest of the grid's.
    expected = LEARNERS[title].energy(points)
    np.testing.assert_allclose(energies, expected, rtol=0.05, atol=0.01)


@pytest.mark.slow
def test_heights_are_the_roots_of_scaled_energies(page):
    """In the browser, of the arrays that it decoded."""
    read = "() => document.querySelector('.js-plotly-plot')._fullData[0].z.map(row => [...row])"
    heights = np.array(page.evaluate(read))
    learner = LEARNERS["PCA"]
    on = float(np.median(learner.energy(DATA.held_out)))
    scaled = (learner.energy(surface_grid()) - on).reshape(heights.shape) / 0.5
    np.testing.assert_allclose(heights, np.sqrt(np.clip(scaled, 0, TOP**2)), atol=1e-5)
