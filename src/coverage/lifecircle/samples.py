"""The built-in study, and the folder that a new study starts from."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from lifecircle.errors import OutputError, SourceError


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
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not empty; name a new folder, so that nothing of yours is overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        templates = Path(str(files("lifecircle"))) / "templates" / "study"
        return [Path(shutil.copyfile(path, folder / path.name)) for path in sorted(templates.iterdir())]
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from error
