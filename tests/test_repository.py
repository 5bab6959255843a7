"""What must hold of the repository: the folder `src/coverage`, the locks, the wheel, the public names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lifecircle

LOCKS = ("run", "dev", "bench")
LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;]+)( ; [^\\]+)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)$")
ADDRESS = re.compile(r"\w+://|^\s*(-f|-i|--find-links|--index-url|--extra-index-url)\b|^\s*[./]", re.MULTILINE)
HEAVY = {
    "folium",
    "geopandas",
    "highspy",
    "numba",
    "numpy",
    "osmium",
    "osmnx",
    "pandas",
    "scipy",
    "shapely",
    "sklearn",
}
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|deb[.]debian[.]org|crates[.]io|golang[.]org")
MACHINE_PATH = re.compile(r"(?<![\w./])/(home|opt|root|tmp|Users|work)/\w")


@pytest.fixture(scope="module")
def files(repository: Path) -> list[Path]:
    """Every file that is tracked or would be, relative to the root."""
    if not (repository / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = {Path(name) for name in listed.stdout.split("\0") if name}
    return sorted(path for path in paths if (repository / path).is_file())


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, object]:
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]


def locked(repository: Path, name: str) -> dict[str, str]:
    """Package -> version of one lock, each line of which has hashes."""
    text = (repository / "requirements" / f"{name}.txt").read_text("utf-8")
    lines = re.sub(r" \\\n\s+", " ", text).splitlines()
    matches = [(line, LOCKED.match(line)) for line in lines if not line.startswith("#")]
    assert [line for line, match in matches if match is None] == []
    return {match[1]: match[2] for _, match in matches if match}


# The folder src/coverage: importable as `coverage`, it would shadow coverage.py and break `import numba`.


def test_the_source_root_is_no_package(repository: Path) -> None:
    assert (repository / "src" / "coverage" / "lifecircle" / "__init__.py").is_file()
    assert not (repository / "src" / "coverage" / "__init__.py").exists()
    assert not (repository / "src" / "__init__.py").exists()


def test_src_is_never_on_the_path(repository: Path, pytestconfig: pytest.Config) -> None:
    places = [Path(place).resolve() for place in (*sys.path, *pytestconfig.getini("pythonpath"))]
    assert repository / "src" not in places


def test_import_coverage_is_never_us(repository: Path) -> None:
    code = "from importlib.util import find_spec; print(find_spec('coverage'))"
    found = subprocess.run([sys.executable, "-c", code], cwd=repository, check=True, capture_output=True, text=True)
    assert str(repository / "src") not in found.stdout


def test_git_does_not_ignore_the_source_root(repository: Path) -> None:
    patterns = (repository / ".gitignore").read_text("utf-8").split()
    assert [p for p in patterns if p.strip("/*") in {"coverage", "src", "src/coverage"}] == []


# The locks.


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(repository: Path, name: str) -> None:
    assert locked(repository, name)
    assert ADDRESS.findall((repository / "requirements" / f"{name}.txt").read_text("utf-8")) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_the_package_needs(repository: Path, project: dict[str, list[str]], name: str) -> None:
    lock = locked(repository, name)
    needed = [Requirement(line) for line in [*project["dependencies"], "hatchling", "editables"]]
    for requirement in needed:
        assert lock[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize("name", LOCKS[1:])
def test_the_locks_agree(repository: Path, name: str) -> None:
    assert locked(repository, "run").items() <= locked(repository, name).items()


# The public names.


def test_the_version_is_the_installed_one() -> None:
    assert lifecircle.__version__ == version("lifecircle")


@pytest.mark.parametrize("name", lifecircle.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert name in dir(lifecircle)
    assert getattr(lifecircle, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'radius'"):
        _ = lifecircle.radius


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import lifecircle, sys; dir(lifecircle); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert HEAVY & set(loaded) == set()


# What goes out.


def test_the_wheel_holds_the_package_and_monaco(repository: Path, files: list[Path], tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=repository, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    package = {
        path.relative_to("src/coverage").as_posix() for path in files if path.is_relative_to("src/coverage/lifecircle")
    }
    monaco = {
        f"lifecircle/examples/monaco/{p.relative_to('data/monaco').as_posix()}"
        for p in files
        if p.is_relative_to("data/monaco")
    }
    assert monaco
    assert {name for name in names if ".dist-info/" not in name} == package | monaco
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_no_file_names_a_registry_or_a_place_on_one_machine(repository: Path, files: list[Path]) -> None:
    found = []
    for path in files:
        content = (repository / path).read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8")
        found += [f"{path}: {match[0]}" for pattern in (REGISTRY, MACHINE_PATH) for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(("answer", "said"), [("echo 3.10", "is Python 3.10"), ("exit 127", "does not run")])
def test_a_python_that_will_not_do_gets_one_sentence(repository: Path, tmp_path: Path, answer: str, said: str) -> None:
    if shutil.which("make") is None:
        pytest.skip("needs make")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{answer}\n", "utf-8")
    python.chmod(0o755)
    outside_make = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(
        ["make", "--dry-run", "demo", f"PYTHON={python}"],
        cwd=repository,
        env=outside_make,
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    (sentence,) = run.stderr.splitlines()
    assert f"needs Python 3.11, 3.12 or 3.13, and '{python}' {said}" in sentence
