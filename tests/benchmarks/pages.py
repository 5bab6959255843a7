"""How quick written pages are in headless Chromium without a GPU: ready, dragging, hovering, the way of a building.

PYTHONPATH=tests python -m benchmarks.pages PAGE...

Every figure is the median of five openings of the page, each in a new browser, with the network off.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, sync_playwright

from pages import CHROMIUM_FLAGS, DESKTOP

ROUNDS = 5
MARKS_MS = {"pan p95": 100.0, "pan p95, close": 100.0, "hover p95": 50.0}

AT_READY = """
new MutationObserver((_, seen) => {
  if (!document.documentElement?.dataset.ready) return;
  window.readyAt = performance.now();
  seen.disconnect();
}).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-ready'] });
"""

RECORD_FRAMES = """
() => {
  window.frames_ms = [];
  let last = performance.now();
  const frame = () => {
    const now = performance.now();
    window.frames_ms?.push(now - last);
    last = now;
    if (window.frames_ms) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""

RECORD_TIPS = """
() => {
  window.tips_ms = [];
  let moved = null;
  window.addEventListener('pointermove', () => (moved = performance.now()), true);
  new MutationObserver(() => {
    if (moved !== null && document.querySelector('.hover')) window.tips_ms.push(performance.now() - moved);
    moved = null;
  }).observe(map_main.getPane('tooltipPane'), { childList: true, subtree: true, characterData: true });
}
"""

RECORD_WAY = """
() => {
  const ways = () => [...document.querySelectorAll('path.way')].some((way) => way.getAttribute('d').length > 4);
  window.way_ms = new Promise((resolve) => {
    window.addEventListener('click', async () => {
      const from = performance.now();
      while (!ways() && performance.now() - from < 1000) await new Promise(requestAnimationFrame);
      resolve(ways() ? performance.now() - from : null);
    }, { capture: true, once: true });
  });
}
"""


def main(paths: list[str]) -> None:
    """Print a row of figures for each page."""
    with sync_playwright() as playwright:
        for path in map(Path, paths):
            rounds = []
            for _ in range(ROUNDS):
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
                )
                rounds.append(figures(browser, path))
                browser.close()
            told = [f"{path}: {path.stat().st_size / 1e6:.2f} MB"]
            for key in rounds[0]:
                known = [each[key] for each in rounds if each[key] is not None]
                missed = " MISSED" if known and median(known) > MARKS_MS.get(key, float("inf")) else ""
                told.append(f"{key} {median(known):.0f} ms{missed}" if known else f"{key} -")
            print(", ".join(told), flush=True)


def figures(browser: Browser, path: Path) -> dict[str, float | None]:
    """Open a page once and use it; return milliseconds."""
    with browser.new_context(offline=True, **DESKTOP) as context:
        page = context.new_page()
        page.add_init_script(AT_READY)
        page.goto(path.resolve().as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        ready = page.evaluate("readyAt")
        page.wait_for_timeout(500)
        box = page.locator(".folium-map").bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        far = dragged(page, middle)
        station = page.evaluate("JSON.parse(document.getElementById('data').textContent).stations[0]?.at")
        if station:
            page.evaluate("(at) => map_main.setView(at, 17, { animate: false })", station)
            page.wait_for_timeout(500)
        near = dragged(page, middle)
        tips = hovered(page, middle)
        return {
            "ready": ready,
            "pan p95": far,
            "pan p95, close": near,
            "hover p95": tips,
            "first way": first_way(page, middle),
        }


def dragged(page: Page, middle: tuple[float, float]) -> float:
    """Drag the map to and fro and return the 95th percentile of the frames meanwhile."""
    x, y = middle[0] + 60, middle[1] + 40  # beside the border that a comparison moves
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(RECORD_FRAMES)
    for dx, dy in ((-300, 0), (300, 150), (-200, -250), (250, 200), (0, 0)):
        page.mouse.move(x + dx, y + dy, steps=25)
    frames = page.evaluate("() => { const kept = window.frames_ms; window.frames_ms = null; return kept; }")
    page.mouse.up()
    page.wait_for_timeout(400)
    return p95(frames)


def hovered(page: Page, middle: tuple[float, float]) -> float | None:
    """Move over the map and return the 95th percentile of the time from a move to the tip that it shows."""
    page.evaluate(RECORD_TIPS)
    for step in range(100):
        page.mouse.move(middle[0] + 40 * (step % 10 - 5) + step / 7, middle[1] + 24 * (step // 10 - 5))
        page.wait_for_timeout(25)
    tips = page.evaluate("tips_ms")
    return p95(tips) if len(tips) > 1 else None


def first_way(page: Page, middle: tuple[float, float]) -> float | None:
    """Click beside the middle until a way is drawn; return how long the first one took, None where there is none."""
    for step in range(24):
        place = [middle[0] + 30 * (step % 8 - 4), middle[1] + 30 * (step // 8)]
        page.mouse.move(*place)
        page.wait_for_timeout(150)
        if "·" not in "".join(page.locator(".hover .tip").all_inner_texts()):
            continue  # no building from which somebody walks
        page.evaluate(RECORD_WAY)
        page.mouse.click(*place)
        took = page.evaluate("way_ms")
        if took is not None or page.locator("path.way").count() == 0:
            return took
        page.keyboard.press("Escape")
    return None


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main(sys.argv[1:])
