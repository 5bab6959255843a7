"""The built-in study, and the folder that a new study starts from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from lifecircle.errors import LifecircleError, OutputError, SourceError


def monaco() -> Path:
    """Return the folder of the built-in study of Monaco: inside the package, or in the checkout it is run from.

    Raises
    ------
    SourceError
        When neither is there.
    """
    here = Path(str(files("lifecircle")))
    for folder in (here / "examples" / "monaco", here.parents[2] / "data" / "monaco"):
        if (folder / "study.toml").is_file():
            return folder
    raise SourceError("the built-in study of Monaco is not part of this installation; install the package again")


def start_study(folder: Path) -> list[Path]:
    """Write a commented study file and its README into ``folder`` and return their paths.

    Raises
    ------
    OutputError
        When the folder holds something already, or cannot be made.
    """
    templates = Path(str(files("lifecircle"))) / "templates" / "study"
    with new_folder(folder) as draft:
        copies = [Path(shutil.copyfile(path, draft / path.name)) for path in sorted(templates.iterdir())]
    return [folder / copy.name for copy in copies]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a draft folder; when the block ends well it becomes ``folder``, else it is gone.

    A folder that is there and empty stays the folder it is, for someone may be in it: what was drafted moves into it.

    Raises
    ------
    OutputError
        When the folder holds something already, or cannot be made or written.
    """
    place = folder.resolve()
    try:
        exists = place.exists()
        if exists:
            _refuse_to_fill(place, folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place if exists else place.parent) as holder:
            draft = Path(holder) / place.name
            draft.mkdir()
            yield draft
            if exists:
                _refuse_to_fill(place, folder, but=Path(holder))
                _move_into(place, sorted(draft.iterdir()))
            else:
                draft.rename(place)
    except LifecircleError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror or error}") from error


def _refuse_to_fill(place: Path, named: Path, *, but: Path | None = None) -> None:
    if not place.is_dir() or any(path != but for path in place.iterdir()):
        raise OutputError(f"{named} is not empty; name a new folder, so that nothing of yours is overwritten")


def _move_into(place: Path, files: list[Path]) -> None:
    """Move all the files into a folder, or none."""
    moved: list[Path] = []
    try:
        for file in files:
            moved.append(file.rename(place / file.name))  # noqa: PERF401 - what has moved is known when one does not
    except OSError:
        for path, file in zip(moved, files, strict=False):
            path.rename(file)
        raise
