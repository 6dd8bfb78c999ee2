"""The page at `/`, driven in a real browser."""

import contextlib
import json
import os
import pathlib
import shutil
import urllib.request

import openai
import pytest
from neaptest.processes import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MODEL = "tiny"
SIZES = {"phone": (360, 780), "desk": (1440, 900)}
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Engines slow enough that a batch is seen at work: the page is drawn once a second."""
    world = World(tmp_path_factory.mktemp("page"))
    try:
        world.engines = [world.engine("--profile", "llama-3.1-8b-l4", model=MODEL, speed=1) for _ in range(2)]
        world.front = world.gateway([engine.url for engine in world.engines])
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def gateway(world):
    return world.front


@pytest.fixture(scope="module")
def client(gateway):
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=60)


@contextlib.contextmanager
def opened(browser, url, size="desk", scheme="light", motion="no-preference"):
    """The page at `url` in a context of its own, with what it complained of in `page.complaints`."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion=motion)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shift += e.value; })"
        ".observe({ type: 'layout-shift', buffered: true });")
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


def is_live(page):
    # Not `wait_for_function`: the page's policy forbids what it evaluates.
    page.locator("#status-text", has_text="Live").wait_for(timeout=20_000)


def picture(page, name):
    """Keeps a screenshot where PAGE_PICTURES says, for eyes."""
    if folder := os.environ.get("PAGE_PICTURES"):
        page.screenshot(path=pathlib.Path(folder) / f"{name}.png", full_page=True)


def batch_file(lines: int, tokens: int) -> bytes:
    body = {"model": MODEL, "max_tokens": tokens, "messages": [{"role": "user", "content": "Hello"}]}
    rows = ({"custom_id": f"l{n}", "method": "POST", "url": "/v1/chat/completions", "body": body} for n in range(lines))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def start_batch(client, lines: int, tokens: int = 40):
    file = client.files.create(file=("in.jsonl", batch_file(lines, tokens)), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")


# WCAG 2.2's contrast of every text that is shown, against the nearest painted background.
LOW_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || ['SCRIPT', 'NOSCRIPT'].includes(element.tagName)) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(walk.currentNode.textContent.trim() + ' ' + ratio.toFixed(2));
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_and_steady(browser, gateway, client, size, scheme):
    batch = start_batch(client, 60)
    with opened(browser, gateway.url, size, scheme) as page:
        is_live(page)
        page.get_by_text(batch.id).wait_for(timeout=20_000)
        page.wait_for_timeout(2_500)
        width = SIZES[size][0]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && e.childNodes.length"
            " && parseFloat(getComputedStyle(e).fontSize) < 11).length")
        assert small == 0
        assert page.evaluate(LOW_CONTRAST) == []
        assert page.evaluate("window.shift") < 0.05
        assert page.get_by_role("heading", name="Batches").is_visible()
        assert page.complaints == []
        picture(page, f"page-{size}-{scheme}")


def test_it_shows_endpoints_and_follows_a_batch_to_its_end(browser, gateway, world, client):
    with opened(browser, gateway.url) as page:
        is_live(page)
        for engine in world.engines:
            assert page.get_by_text(f"127.0.0.1:{engine.port}").is_visible()
        batch = start_batch(client, 30)
        row = page.locator(".batch", has_text=batch.id)
        row.wait_for(timeout=20_000)
        row.get_by_text("Completed").wait_for(timeout=60_000)
        assert row.get_by_role("progressbar").get_attribute("aria-valuenow") == "100"
        page.locator(".area-async[d^=M]").wait_for(state="attached", timeout=20_000)
        assert page.complaints == []


def test_it_comes_back_after_the_gateway_was_away(browser, own_world):
    engine = own_world.engine()
    gateway = own_world.gateway([engine.url])
    with opened(browser, gateway.url) as page:
        is_live(page)
        gateway.kill()
        page.get_by_text("trying again").wait_for(timeout=20_000)
        gateway.start()
        is_live(page)


def test_with_keys_it_asks_for_an_admin_key(browser, own_world, tmp_path):
    import hashlib

    engine = own_world.engine()
    keys = tmp_path / "keys"
    digest = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("boss", "user")}
    keys.write_text(f"ops {digest['boss']} admin\nteam {digest['user']}\n")
    gateway = own_world.gateway([engine.url], "--keys", str(keys))
    with opened(browser, gateway.url) as page:
        field = page.get_by_label("Admin key")
        field.wait_for(timeout=20_000)
        for wrong, answer in (("nobody", "not known"), ("user", "no admin key")):
            field.fill(wrong)
            page.get_by_role("button", name="Show").click()
            page.get_by_text(answer).wait_for(timeout=20_000)
        field.fill("boss")
        field.press("Enter")
        is_live(page)
        page.reload()
        is_live(page)
        assert "boss" not in page.content()


def test_no_other_site_can_frame_or_read_it(gateway):
    with urllib.request.urlopen(gateway.url, timeout=10) as answer:
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["access-control-allow-origin"] is None
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_motion_is_off_where_it_is_not_wanted(browser, gateway):
    with opened(browser, gateway.url, motion="reduce") as page:
        is_live(page)
        assert page.evaluate("getComputedStyle(document.querySelector('.fill')).transitionDuration") == "0s"


def test_it_can_be_read_without_a_mouse(browser, gateway):
    with opened(browser, gateway.url) as page:
        is_live(page)
        assert page.locator("#chart").get_attribute("role") == "img"
        assert page.evaluate("[...document.querySelectorAll('h1,h2')].filter((e) => e.checkVisibility()).length") >= 3
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "A"
