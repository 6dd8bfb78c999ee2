"""The reports of `neap simulate` and `neap plan`, in a real browser."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest
from neaptest.processes import binary
from test_page import LOW_CONTRAST, SIZES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TRAFFIC = "synthetic:requests=400,rate=10,turns=3,pause=2,groups=4"
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def written(folder, *words):
    """The page that a command writes."""
    path = folder / "report.html"
    subprocess.run(
        [binary(), *words, "--report", str(path)], check=True, timeout=300, capture_output=True, text=True)
    return path


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    return written(
        tmp_path_factory.mktemp("simulation"), "simulate", "--trace", TRAFFIC, "--endpoints", "3", "--policy", "all")


@contextlib.contextmanager
def opened(browser, path, size="desk", scheme="light"):
    """The file in a context of its own; `complaints` has errors, `asked` what it wanted from elsewhere."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.complaints, page.asked = [], []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    try:
        page.goto(path.as_uri())
        page.asked.remove(path.as_uri())
        yield page
    finally:
        context.close()


def check_readable(page, size, name):
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    small = page.evaluate(
        "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && e.childNodes.length"
        " && parseFloat(getComputedStyle(e).fontSize) < 11).length")
    assert small == 0
    assert page.evaluate(LOW_CONTRAST) == []
    # A label outside the window cannot be read.
    assert page.evaluate(
        "[...document.querySelectorAll('.up-tick,.across-tick')].map((e) => e.getBoundingClientRect())"
        ".filter((box) => box.left < 0 || box.right > innerWidth).length") == 0
    if folder := os.environ.get("PAGE_PICTURES"):
        page.screenshot(path=pathlib.Path(folder) / f"{name}.png", full_page=True)
    assert page.complaints == []
    assert page.asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_simulations_report_is_readable(browser, simulation, size, scheme):
    with opened(browser, simulation, size, scheme) as page:
        for name in ("Time to first token", "Load of each endpoint", "Prefix hits", "Figures"):
            assert page.get_by_role("heading", name=name).is_visible()
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(12, 19, 23)") == (scheme == "dark")
        check_readable(page, size, f"simulation-{size}-{scheme}")


def test_every_policy_is_drawn(browser, simulation):
    with opened(browser, simulation) as page:
        policies = page.locator("tbody th").all_inner_texts()
        assert len(policies) == 11 and "neap" in policies
        card = page.locator("section", has=page.get_by_role("heading", name="Time to first token"))
        lines = card.locator("svg path.line")
        assert sorted(lines.locator("title").all_text_contents()) == sorted(policies)
        for line in lines.all():
            # Nobody is served in no time: the curve rises.
            assert line.get_attribute("d").count("L") > 50
            assert line.bounding_box()["height"] > 10
        card = page.locator("section", has=page.get_by_role("heading", name="Load of each endpoint"))
        assert card.locator("svg").count() == 11
        # Three endpoints and their mean.
        assert card.locator("svg path.line").count() == 44
        assert card.locator("svg path.band").count() == 11
        card = page.locator("section", has=page.get_by_role("heading", name="Prefix hits"))
        assert card.locator("li").count() == 11
        assert max(bar.bounding_box()["width"] for bar in card.locator(".fill").all()) > 20


def test_the_plots_say_what_they_show(browser, simulation):
    with opened(browser, simulation) as page:
        plots = page.locator("svg").all()
        assert plots
        for plot in plots:
            assert plot.get_attribute("role") == "img"
            assert len(plot.get_attribute("aria-label")) > 30
        assert page.title() == "Neap simulation"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('role')") == "region"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return written(
        tmp_path_factory.mktemp("plan"), "plan", "--trace", "synthetic:requests=300,rate=30", "--ttft-p99", "500",
        "--price", "2.5", "--async-tokens", "0.5")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_plans_report_is_readable(browser, plan, size, scheme):
    with opened(browser, plan, size, scheme) as page:
        assert page.locator(".headline").inner_text().startswith("With a backlog of ")
        assert page.get_by_role("img", name="Two fleets: ").bounding_box()["height"] > 10
        assert page.get_by_role("img", name="One pool: ").bounding_box()["height"] > 10
        # As many squares as the table says.
        count = page.get_by_role("row", name="both silos").locator("td").first.inner_text()
        boxes = page.get_by_role("img", name="Two fleets: ").locator("path")
        assert sum(path.get_attribute("d").count("z") for path in boxes.all()) == int(count)
        check_readable(page, size, f"plan-{size}-{scheme}")
