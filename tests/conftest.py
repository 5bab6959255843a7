"""What every test shares: where things lie, and what a test needs from the machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import pages
from lifecircle import cli

REPOSITORY = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI") == "true"

# The first example may compile, which outlasts any deadline. Many laws are of whole studies, so few examples are the
# rule, and tests of laws that are quick to ask state more. In CI the examples are the same in every run.
settings.register_profile("lifecircle", deadline=None, derandomize=IN_CI, max_examples=15 if IN_CI else 25)
settings.load_profile("lifecircle")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Larger data sets and cases that lie beside the checkout."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium of this machine, for tests that open a page."""
    found = shutil.which("chromium")
    if found is None and IN_CI:
        pytest.fail("needs Chromium, and where CI=true it has to be there")
    if found is None:
        pytest.skip("needs Chromium")
    return Path(found)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Any]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(pages.CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Callable[..., Any]:
    """Open a page as `pages.opened` does."""

    def open_(html: str, *, device: dict[str, Any] = pages.DESKTOP) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return pages.opened(browser, path, device)

    return open_


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command and return its exit code, what it printed and what it complained of."""

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lifecircle", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command
