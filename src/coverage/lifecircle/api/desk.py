"""What one study answers with, made whole before the first request sees it, and the change from one to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from lifecircle.api.encode import DEGREE_DECIMALS, as_json, geojson
from lifecircle.api.lookup import Lookup
from lifecircle.ground import Ground, lay_ground
from lifecircle.mark import MARK, YES
from lifecircle.model import Study
from lifecircle.readers.metric import LON_LAT
from lifecircle.study import open_study

STATION_COLUMNS = ("station_id", "name", "kind", "tier", "items", "hours", "capacity", "area_id")
AREA_COLUMNS = ("area_id", "level", "name", "parent_id")


@dataclass(frozen=True, eq=False)
class Desk:
    """A study with its streets, its lookup, and the answers that are the same for everybody."""

    study: Study
    ground: Ground
    lookup: Lookup
    station_json: tuple[str, ...]
    """What every answer says of a station: members of a JSON object."""
    mark_json: str
    stations: bytes
    areas: bytes

    @classmethod
    def of(cls, study: Study, ground: Ground) -> Desk:
        """Make all that the study answers with."""
        layer = partial(geojson, attribution=study.attribution, synthetic=ground.synthetic)
        lookup = Lookup(study, ground)
        lookup.warm_up()
        return cls(
            study=study,
            ground=ground,
            lookup=lookup,
            station_json=tuple(_station_json(row) for row in study.stations.to_crs(LON_LAT).itertuples()),
            mark_json=f',"{MARK}":"{YES}"' if ground.synthetic else "",
            stations=layer(study.stations, STATION_COLUMNS),
            areas=layer(study.areas, AREA_COLUMNS),
        )

    @property
    def language(self) -> str:
        """The language of the study, "zh" or "en"."""
        return self.study.settings.language


class Desks:
    """The desk that serves now; a new one takes its place whole, and requests that are under way keep theirs."""

    def __init__(self, path: Path, desk: Desk, *, strict: bool = False) -> None:
        self.path, self.current, self.strict = path, desk, strict
        self.failed: Exception | None = None
        self.reloads: Counter[str] = Counter()
        """How often a study was read again, by how that went: ``done`` or ``refused``."""
        self._one_at_a_time = Lock()

    def reload(self) -> Desk:
        """Read the study again and serve from it; where it cannot be used, the old one goes on.

        Raises
        ------
        LifecircleError
            What is wrong with the study.
        """
        with self._one_at_a_time:
            try:
                study = open_study(self.path, strict=self.strict)
                if study.fingerprint != self.current.study.fingerprint:
                    self.current = Desk.of(study, lay_ground(study))
            except Exception as error:
                self.failed = error
                self.reloads["refused"] += 1
                raise
            self.failed = None
            self.reloads["done"] += 1
            return self.current


def _station_json(row: Any) -> str:
    point = [round(row.geometry.x, DEGREE_DECIMALS), round(row.geometry.y, DEGREE_DECIMALS)]
    told = {"name": row.name, "location": point, "station_id": row.station_id, "tier": row.tier}
    return as_json(told)[1:-1].decode()
