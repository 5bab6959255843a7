"""A study laid on its network: every home, station and candidate attached to the street it is left by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from lifecircle.errors import Breach, InputError, LifecircleError, SchemaError, SourceError
from lifecircle.hours import is_open, problem_of_hours
from lifecircle.mark import UNSAID, unsaid
from lifecircle.model import SpeedClass, Study, Walking, Walks
from lifecircle.network import WalkNetwork
from lifecircle.obstacles import Obstacles, exits
from lifecircle.readers.files import Located, locate
from lifecircle.readers.study_file import read_study_file
from lifecircle.readers.whereabouts import with_places_of_study
from lifecircle.routing import NearestWalks, nearest_walks, within
from lifecircle.said import Said, sentence
from lifecircle.schema import ELEVATION, LAYERS, breach
from lifecircle.snapping import SnapIndex, Snaps
from lifecircle.streets import WalkingStreets, walking_streets
from lifecircle.streets import at as with_gates
from lifecircle.study import not_given
from lifecircle.terrain import Terrain, are_made_up, read_terrain


@dataclass(frozen=True, eq=False)
class Footing:
    """How one class of residents walks at one time; the places have the rows of the study's frames."""

    network: WalkNetwork
    homes: Snaps
    stations: Snaps
    candidates: Snaps
    speed_mps: float
    direction: str

    @property
    def sites(self) -> Snaps:
        """Today's stations, then the candidates."""
        return self.stations.followed_by(self.candidates)

    def nearest(self, facilities: Snaps, demand: Snaps, *, k: int = 1, cutoff_s: float = np.inf) -> NearestWalks:
        """Find each place's ``k`` nearest facilities as ``routing.nearest_walks`` does."""
        return nearest_walks(
            self.network,
            facilities,
            demand,
            k=k,
            cutoff_s=cutoff_s,
            speed_mps=self.speed_mps,
            direction=self.direction,
        )

    def within(self, facilities: Snaps, demand: Snaps, *, cutoff_s: float) -> Walks:
        """Find every pair of a facility and a place that reaches it in time, as ``routing.within`` does."""
        return within(
            self.network,
            facilities,
            demand,
            cutoff_s=cutoff_s,
            speed_mps=self.speed_mps,
            direction=self.direction,
        )


@dataclass(frozen=True, eq=False)
class Surface:
    """The streets that some classes share, and the study's places on them.

    Snaps depend on the streets alone; gates that open and shut make another network of the same segments, so that all
    of ``network_at`` (by time of the week; times at which the same gates are open share one) fit the same snaps.
    """

    streets: WalkingStreets
    network_at: Mapping[str, WalkNetwork]
    index: SnapIndex
    homes: Snaps
    stations: Snaps
    candidates: Snaps


@dataclass(frozen=True, eq=False)
class Ground:
    """A study's places on its streets, for every class and every time that the study asks about."""

    walking: Walking
    surfaces: Mapping[bool, Surface]
    """By whether steps are taken: classes that take them share one surface, those that do not another."""
    findings: tuple[Breach, ...]
    synthetic: bool = False
    """Whether the study or the heights below it are made up."""

    def walk(self, walker: SpeedClass, *, at: str = "") -> Footing:
        """Return how a class of the study walks at a circle's time; empty for the study's ``walking.at``."""
        surface = self.surfaces[walker.steps]
        return Footing(
            network=surface.network_at[at or self.walking.at],
            homes=surface.homes,
            stations=surface.stations,
            candidates=surface.candidates,
            speed_mps=walker.speed_mps,
            direction=self.walking.direction,
        )

    @property
    def reference(self) -> Footing:
        """How the reference class walks at ``walking.at``: the walks of the plain columns."""
        return self.walk(self.walking.reference)

    @property
    def streets(self) -> WalkingStreets:
        """The streets of the reference class."""
        return self.surfaces[self.walking.reference.steps].streets


def lay_ground(study: Study) -> Ground:
    """Make the networks that the study's classes and circles ask for, and attach its places to them.

    Raises
    ------
    SchemaError
        When a station inside the study's areas has no street of the reference class within ``max_access_m``; its id is
        named. All other places that some class cannot get to or from are left out of its walks and reported in
        ``findings``.
    SourceError
        When nobody may walk on any street, or the file of heights cannot be used.
    """
    walking = study.settings.walking
    times = dict.fromkeys([walking.at, *(c.at or walking.at for c in study.settings.circles)])
    obstacles, terrain = Obstacles.of(study), _terrain(study)
    surfaces: dict[bool, Surface] = {}
    made_up = [ELEVATION] if study.elevation is not None and are_made_up(study.elevation) else []
    synthetic = study.synthetic or bool(made_up)
    findings = [*not_given(study), *([] if study.synthetic else unsaid(made_up))]
    for steps in dict.fromkeys(c.steps for c in walking.classes):
        surface, found = _lay_surface(study, obstacles, terrain, times, steps=steps, synthetic=synthetic)
        surfaces[steps] = surface
        # Stairs that are closed are no news to those who take none.
        found = [f for f in found if f.layer != "closures" or steps or not any(c.steps for c in walking.classes)]
        new = [f for f in found if f not in findings]
        findings += new if steps == walking.reference.steps else [_of_others(f, steps=steps) for f in new]
    if any(f.severity == "error" for f in findings):
        message = Said("{}: the study cannot be used", study.path)
        raise SchemaError(message, breaches=findings, language=study.settings.language)
    return Ground(walking, surfaces, tuple(with_places_of_study(findings, study)), synthetic)


def with_candidates(ground: Ground, study: Study) -> Ground:
    """Return the ground with the candidates of ``study`` in place of those it had; all else in it is as it was."""
    obstacles, surfaces, found = Obstacles.of(study), {}, []
    for steps, surface in ground.surfaces.items():
        snaps = obstacles.attach_points(surface.index, study.candidates)
        surfaces[steps] = replace(surface, candidates=snaps)
        about = _blocked("candidates", study.candidates, snaps)
        about += _off_network("candidates", study.candidates, ~snaps.snapped, obstacles.max_access_m)
        same = steps == ground.walking.reference.steps
        found += about if same else [_of_others(f, steps=steps) for f in about]
    kept = [f for f in ground.findings if f.layer != "candidates"]
    return replace(ground, surfaces=surfaces, findings=(*kept, *with_places_of_study(found, study)))


def with_closed(ground: Ground, study: Study, way_ids: Iterable[str]) -> Ground:
    """Return the ground with some ways closed beside those that are; places stay attached where they are."""
    named = np.isin(np.array(study.streets.way_id, dtype=object), list(way_ids))
    return with_streets(ground, lambda streets: replace(streets, closed=streets.closed | named[streets.way]))


def with_streets(ground: Ground, change: Callable[[WalkingStreets], WalkingStreets]) -> Ground:
    """Return the ground on the same segments under other rules; places stay attached where they are.

    ``change`` returns streets with other ``private`` and ``closed`` ways and other ``gates``; their network is made
    from these.
    """
    surfaces = {}
    for steps, surface in ground.surfaces.items():
        streets = change(surface.streets)
        streets = replace(streets, network=with_gates(streets, {}))
        surfaces[steps] = replace(surface, streets=streets, network_at=_networks(streets, surface.network_at)[0])
    return replace(ground, surfaces=surfaces)


def _lay_surface(
    study: Study,
    obstacles: Obstacles,
    terrain: Terrain | None,
    times: Iterable[str],
    *,
    steps: bool,
    synthetic: bool,
) -> tuple[Surface, list[Breach]]:
    """Return one surface and what laying it finds."""
    walking = study.settings.walking
    streets = walking_streets(
        study.streets, walking, elevation=terrain, closures=study.closures, steps=steps, synthetic=synthetic
    )
    network_at, unread = _networks(streets, times)
    index = SnapIndex.of(streets.network, barriers=obstacles.geometries)
    homes = obstacles.attach(index, *exits(study), np.arange(len(study.buildings)))
    stations = obstacles.attach_points(index, study.stations)
    candidates = obstacles.attach_points(index, study.candidates)
    findings = [*streets.findings, *unread]
    for layer, places, snaps in (
        ("buildings", study.buildings, homes),
        ("stations", study.stations, stations),
        ("candidates", study.candidates, candidates),
    ):
        findings += _blocked(layer, places, snaps)
        if layer != "buildings":
            findings += _off_network(layer, places, ~snaps.snapped, obstacles.max_access_m)
    return Surface(streets, network_at, index, homes, stations, candidates), findings


def _terrain(study: Study) -> Terrain | None:
    """Return the heights under the study's streets.

    Raises
    ------
    SourceError
        When the file of heights cannot be used.
    """
    if study.elevation is None:
        return None
    try:
        return read_terrain(study.elevation, study.crs, study.streets.xy_m)
    except SourceError as error:
        unusable = Breach(ELEVATION, "unusable-heights", error.message, (study.elevation.name,), 1)
        message = Said("{}: the study cannot be used", study.path)
        raise SourceError(message, breaches=[unusable], language=study.settings.language) from error


def _of_others(finding: Breach, *, steps: bool) -> Breach:
    """Return what a class other than the reference class meets: it concerns that class alone, and stops nothing."""
    whose = "classes that take steps" if steps else "classes that take no steps"
    severity = "warning" if finding.severity == "error" else finding.severity
    return replace(finding, message=Said("{} ({})", sentence(finding.message), sentence(whose)), severity=severity)


def check_ground(study: Study) -> tuple[Breach, ...]:
    """Return what laying the study on its network finds, errors and all."""
    try:
        return lay_ground(study).findings
    except LifecircleError as error:
        return error.breaches or (Breach("streets", "not-walkable", error.message),)


def says_synthetic(path: str | Path, findings: Iterable[Breach]) -> bool:
    """Return whether a study, sound or not, is made up, given what checking it found.

    Its file says so, or a finding tells that an input does though the file does not, or the heights do.
    """
    try:
        file = read_study_file(Path(path))
    except InputError:  # of a file that cannot be read nothing is known
        return False
    heights = locate(file.inputs[ELEVATION], file.path.parent) if ELEVATION in file.inputs else None
    return (
        file.settings.synthetic
        or any(f.rule == UNSAID for f in findings)
        or (isinstance(heights, Located) and are_made_up(heights.path))
    )


def attach_points(study: Study, ground: Ground, places: gpd.GeoDataFrame) -> Snaps:
    """Attach points with a ``building_id`` (empty for none), for the reference class, as stations are."""
    surface = ground.surfaces[study.settings.walking.reference.steps]
    return Obstacles.of(study).attach_points(surface.index, places)


def _blocked(layer: str, places: gpd.GeoDataFrame, snaps: Snaps) -> list[Breach]:
    """Count the places whose leg to the street cannot but cross an obstacle."""
    rows = np.unique(snaps.place[snaps.blocked])
    message = Said(
        "{:,} of {:,} get to no street without crossing a building or a barrier; their straight "
        "leg counts, and the walk is marked leg_blocked",
        len(rows),
        len(places),
    )
    return breach(layer, "leg-blocked", message, places[LAYERS[layer].key].iloc[rows], "warning")


def _off_network(layer: str, places: gpd.GeoDataFrame, off: npt.NDArray[np.bool_], max_access_m: float) -> list[Breach]:
    """Report places without a street: an error for a station inside the areas, a warning for any other place."""
    ids, rule = places[LAYERS[layer].key], f"{layer[:-1]}-off-network"
    inside = (places["area_id"] != "").to_numpy() & (layer == "stations")
    missing = Said("no street that a walker may use within {:g} m", max_access_m)
    return [
        *breach(layer, rule, Said("{}; mend the coordinates or raise max_access_m", missing), ids[off & inside]),
        *breach(layer, rule, Said("left out: {}", missing), ids[off & ~inside], "warning"),
    ]


def _networks(streets: WalkingStreets, times: Iterable[str]) -> tuple[dict[str, WalkNetwork], list[Breach]]:
    """Return the network at each time of the week; times at which the same gates are open share one.

    Hours that cannot be read are told, and count as shut: no walk may hang on them.
    """
    hours = {gate.id: gate.hours for gate in streets.gates if gate.hours}
    unread = [gate for gate, text in hours.items() if problem_of_hours(text)]
    made = {(True,) * len(hours): streets.network}
    network_at = {}
    for time in times:
        states = {gate: gate not in unread and is_open(text, time) for gate, text in hours.items()}
        key = tuple(states.values())
        if key not in made:
            made[key] = with_gates(streets, states)
        network_at[time] = made[key]
    message = "gates whose opening_hours cannot be read; they are taken for shut, unless [walking] gates states others"
    return network_at, breach("streets", "unread-hours", message, unread, "warning")
