"""Renew what the README shows: maps/monaco.html and its picture, from the built-in study. Needs Chromium.

make gallery
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from lifecircle import cover, open_study, site
from lifecircle.reports import write_plan
from lifecircle.scenarios import possible_sites, unserved_areas

ROOT = Path(__file__).resolve().parents[1]
MAPS = ROOT / "maps"
SCENARIO = "three-more"


def main() -> None:
    study = open_study(ROOT / "data" / "monaco")
    today = cover(study)
    sites = possible_sites(today)
    plan = site(study, scenario=SCENARIO, today=today, sites=sites)
    draft = MAPS / "demo" / "gallery"
    page = write_plan(draft, plan, today, unserved_areas(plan.coverage, sites))
    shutil.copyfile(page, MAPS / "monaco.html")
    picture(MAPS / "monaco.html", MAPS / "monaco.png")
    shutil.rmtree(draft)


def picture(page: Path, target: Path) -> None:
    """Save what the page shows on a 1366 x 768 screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1366, "height": 768})
        tab.goto(page.as_uri())
        tab.wait_for_timeout(2000)
        tab.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
