"""Every route takes and gives what the OpenAPI document says of it, under generated requests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lifecircle.api.guard import make_key
from lifecircle.samples import monaco

SECONDS = os.environ.get("SCHEMATHESIS_S", "15")
"""How long requests are generated; `.ci/run` takes three minutes."""


@pytest.fixture
def served(tmp_path):
    """A server of Monaco, and a key with which every route may be asked."""
    key, row = make_key("all", "admin")
    (tmp_path / "keys.toml").write_text(row, "utf-8")
    command = [sys.executable, "-u", "-m", "lifecircle", "serve", str(monaco()), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--keys", str(tmp_path / "keys.toml")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    shown = process.stdout.readline().decode()
    yield re.search(r"http://\S+", shown)[0], key
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()


def test_no_route_breaks_its_document_whatever_is_asked(served, tmp_path):
    url, key = served
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
            *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--max-time", SECONDS, "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) generated, \1 passed", done.stdout)[1]) > 100
