"""A place fetched and made a study: every step of it, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import shapely

from lifecircle.fetch import BUFFER_M, LEVELS, PUBLIC, Servers
from lifecircle.fetch.areas import areas_of
from lifecircle.fetch.extract import write_extract
from lifecircle.fetch.place import Place, box_around, choose
from lifecircle.fetch.servers import download, look_up
from lifecircle.fetch.write import EXTRACT, Origin, read_extract, write_study
from lifecircle.said import Said
from lifecircle.samples import new_folder

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fetched:
    """What was fetched, a line each, and the files that the user has to fill in."""

    told: tuple[str, ...]
    missing: tuple[Path, ...]


def fetch_study(
    folder: Path,
    name: str,
    *,
    outline: shapely.Polygon | None = None,
    which: int | None = None,
    buffer_m: float = BUFFER_M,
    levels: Sequence[int] = LEVELS,
    servers: Servers = PUBLIC,
    step: Step = lambda _: nullcontext(),
) -> Fetched:
    """Fetch a place out of OpenStreetMap and write a study of it into a new or empty folder.

    Parameters
    ----------
    name
        The place; with ``outline`` what to call the study.
    outline
        The place's outline, degrees of WGS 84; it is not looked up then.
    which
        The number, from 1, of one of several places of that name.
    buffer_m
        Metres beyond the place that are fetched too.
    levels
        Values of ``admin_level`` that may part the place into areas; where none does, it is one area.
    servers
        Whom to ask.
    step
        Told what is under way.

    Raises
    ------
    UnknownNameError
        When there is no such place, or there are several.
    FetchError
        When a server cannot be asked or gives nothing that can be used, when the place is too large, or when
        OpenStreetMap has no streets or no buildings there.
    OutputError
        When the folder holds something already, or cannot be made or written.
    """
    with new_folder(folder) as draft:
        if outline is None:
            with step("Looking the place up"):
                place = choose(name, look_up(name, servers), which=which)
        else:
            place = Place(name, outline)
        box = box_around(place, buffer_m)
        with step("Fetching streets, buildings and rooms"):
            state = write_extract(draft / EXTRACT, download(shapely.box(*box), levels, servers), box)
        with step("Writing the study"):
            layers = read_extract(draft, place, levels)
            areas, told = areas_of(place, layers.tables.get("areas"), layers.tables["buildings"])
            counts, missing = write_study(draft, Origin(place, box, buffer_m, servers, state), layers, areas, told)
    return Fetched((counts, Said("areas: {}", told)), tuple(folder / name for name in missing))
