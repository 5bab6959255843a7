"""Files that lie beside a study's inputs as if they were some: a boundary that study.toml forgot to name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lifecircle.errors import Breach
from lifecircle.readers.files import FORMATS, LOCK, WAYS_OUT
from lifecircle.readers.inputs import Input
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.schema import breach

_NO_DATA = (".json", ".txt")
"""Endings of data too, but more often of records and remarks."""

_ENDINGS = tuple({*(s for f in FORMATS for s in f.suffixes), *WAYS_OUT}.difference(_NO_DATA))
_OF_OTHERS = ("requests", "itinerary", "诉求", "工单", "巡回")
"""Words in the names of files that are not for a study: requests are for `lifecircle assign`, rounds for nobody yet."""

_HIDDEN = (".", LOCK)


def check_beside(folder: Path, inputs: Iterable[Input]) -> list[Breach]:
    """Tell which files look like inputs by their names and are none; none of them is opened.

    Looked at are the study's folder and those in it that hold an input. Of a Shapefile its ``.shp`` counts.
    """
    home = folder.resolve()
    named = {(home / source.path).resolve() for source in inputs if source.path and "\0" not in source.path}
    folders = {home, *(path.parent for path in named if path.parent.is_relative_to(home))}
    idle = [
        path.relative_to(home).as_posix()
        for place in sorted(folders)
        for path in _files_in(place)
        if path.name.lower().endswith(_ENDINGS) and not _is_of_others(path.name)
        if path.resolve() not in named
    ]
    message = "beside the study's inputs, and study.toml names none of these; name under [inputs] what belongs to it"
    return breach(STUDY_FILE, "unnamed-file", message, idle, "note")


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:  # not there, or not to be looked into: the input in it is told
        return []


def _is_of_others(name: str) -> bool:
    return name.startswith(_HIDDEN) or any(word in name.lower() for word in _OF_OTHERS)
