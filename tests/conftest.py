"""What every test shares: where things lie, and what a test needs from the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI") == "true"

# The first example may compile, which outlasts any deadline. In CI the examples are the same in every run.
settings.register_profile("lifecircle", deadline=None, derandomize=IN_CI)
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
