"""A study opened: every file read once, checked once, projected once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from lifecircle.agreement import are_among, check_counts, check_near_buildings, check_references
from lifecircle.errors import Breach, InputError, SchemaError, SourceError, StudyError
from lifecircle.floors import check_floors, check_kinds
from lifecircle.kinds import RESIDENTIAL_KINDS
from lifecircle.mark import unsaid
from lifecircle.model import Settings, StreetWays, Study
from lifecircle.readers.area_faults import check_areas
from lifecircle.readers.assembly import Metric, in_metres
from lifecircle.readers.at_buildings import at_buildings
from lifecircle.readers.beside import check_beside
from lifecircle.readers.dispatching import as_tiers_say
from lifecircle.readers.files import SOURCE_RULES, Located, digest, locate
from lifecircle.readers.findings import findings_of
from lifecircle.readers.in_force import in_force
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.readers.layers import Layers, read_layers
from lifecircle.readers.osm import ATTRIBUTION
from lifecircle.readers.overrides import over_tables
from lifecircle.readers.placing import FOUND, OF_SUMS, UNPLACED, settle
from lifecircle.readers.residents import (
    check_levels,
    check_targets,
    check_together,
    counts_of_buildings,
    counts_of_table,
    with_sound_rows,
)
from lifecircle.readers.rosters import rosters_of
from lifecircle.readers.shifts import check_datums
from lifecircle.readers.study_file import StudyFile, read_study_file
from lifecircle.readers.whereabouts import Sketch, only_files, sketch, with_places_of_layers
from lifecircle.rules import warn_of
from lifecircle.said import Said, sentence
from lifecircle.schema import ELEVATION, GROUP_PREFIX, LAYERS, TOTAL, breach, nearest


@dataclass(frozen=True, eq=False)
class Checked:
    """What checking a study finds.

    ``study`` is None when anything is wrong with it; ``findings`` are every error, repair and warning, layer by layer,
    with their places. ``name`` and ``language`` are the study's as far as its file tells them, ``files`` the path of
    each layer that comes of one file.
    """

    study: Study | None
    findings: tuple[Breach, ...]
    name: str
    language: str = "zh"
    sketch: Sketch | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def open_study(path: str | Path, *, strict: bool = False) -> Study:
    """Read a study and all its files, check everything, and bring it into one metric CRS.

    Parameters
    ----------
    path
        The study file, or the folder that holds ``study.toml``.
    strict
        Whether warnings stop the work as errors do.

    Returns
    -------
    Study
        Coordinates in metres in ``study.crs``; what was mended or is doubtful is in ``study.findings``.

    Warns
    -----
    DegradedWarning
        Of each finding, in the class of its rule.

    Raises
    ------
    StudyError
        When the study file says something that cannot be meant.
    SourceError
        When a file is missing or cannot be read.
    SchemaError
        When a layer breaks a rule. Whichever is raised, its ``breaches`` list all that is wrong.
    """
    checked = examine(path)
    if checked.study is not None:
        if strict:
            refuse_warnings(path, checked.findings, language=checked.language)
        warn_of(checked.findings)
        return checked.study
    errors = [b for b in checked.findings if b.severity == "error"]
    kind: type[InputError] = SchemaError
    if any(b.rule in SOURCE_RULES for b in errors):
        kind = SourceError
    if any(b.layer == STUDY_FILE and b.rule not in SOURCE_RULES for b in errors):
        kind = StudyError
    raise kind(Said("{}: the study cannot be used", path), breaches=errors, language=checked.language)


def refuse_warnings(path: str | Path, findings: Iterable[Breach], *, language: str = "en") -> None:
    """Refuse to go on where there is any warning.

    Raises
    ------
    SchemaError
        Whose ``breaches`` are the warnings.
    """
    doubts = [b for b in findings if b.severity == "warning"]
    if doubts:
        message = Said("{}: warnings count as errors here (strict)", path)
        raise SchemaError(message, breaches=doubts, language=language)


def check_study(path: str | Path) -> tuple[Study | None, tuple[Breach, ...]]:
    """Read and check a study without raising.

    Returns
    -------
    tuple
        The study, None when anything is wrong with it; and every error, repair and warning, layer by layer.
    """
    checked = examine(path)
    return checked.study, checked.findings


def examine(path: str | Path) -> Checked:
    """Read and check a study without raising, and keep what a page of it shows."""
    try:
        file = read_study_file(Path(path))
    except InputError as error:
        return Checked(None, error.breaches, name=_folder(path), language=error.language)
    found = [locate(source, file.path.parent, limits=file.limits) for source in file.inputs.values() if source.path]
    located = {f.input.name: f for f in found if isinstance(f, Located)}
    layers = read_layers({name: source for name, source in located.items() if name != ELEVATION}, datum=file.datum)
    breaches = [*file.breaches, *check_beside(file.path.parent, file.inputs.values())]
    breaches += [*(f for f in found if isinstance(f, Breach)), *layers.breaches]
    sheet = layers.tables["overrides"] if layers.sound("overrides") else None
    seen, about_seen = findings_of(file.findings, sheet, datum=file.datum, date=file.settings.date)
    overridden, about_tables = over_tables(layers.tables, seen)
    layers = replace(layers, tables=overridden.tables)
    breaches += [*about_seen, *about_tables]
    sources, about_residents = _residents(file, layers)
    breaches += [*_between(file.settings, layers), *about_residents]
    of_datums = check_datums(layers)
    breaches += of_datums
    layers, about_places = at_buildings(layers)
    breaches += about_places
    metric, about_places = in_metres(layers, reach_m=_reach_m(file.settings), limits=file.limits)
    breaches += about_places
    force = residents = None
    if metric and metric.streets.way_id:
        breaches += _check_ways(file.settings, metric.streets)
        force, about_force = in_force(file.settings, layers, seen, metric)
        breaches += about_force
    if metric:
        breaches += check_floors(metric.frames["buildings"])
        breaches += _check_places(metric, unsure={b.layer for b in of_datums})
        dispatch = file.settings.dispatch
        stations = as_tiers_say(metric.frames["stations"], dispatch)
        rosters, about_rosters = rosters_of(layers, metric.crs, stations, dispatch)
        breaches += about_rosters
    if metric and len(metric.frames["areas"]) and len(metric.frames["buildings"]):
        unsound = {b.layer for b in breaches if b.severity == "error"}
        sound = not unsound & {"areas", "buildings", "residents", "overrides"}
        residents, found_there = _settled(sources, metric, overridden.residents, sound=sound)
        breaches += found_there
    marked = tuple(layer for layer in LAYERS if layer in layers.marked)
    if not file.settings.synthetic:
        breaches += unsaid(marked)
    if any(b.layer == "overrides" and b.severity == "error" for b in breaches):  # then nothing is replaced
        breaches = [b for b in breaches if b.rule != "overridden"]
    breaches = sorted(breaches, key=lambda b: [STUDY_FILE, *LAYERS, ELEVATION].index(b.layer))
    findings = tuple(with_places_of_layers(breaches, layers))
    files = only_files(file.inputs.values())
    told = Checked(None, findings, file.settings.name, file.settings.language, sketch(layers), files)
    if metric is None or force is None or residents is None or any(b.severity == "error" for b in breaches):
        return told
    study = Study(
        path=file.path,
        settings=force.settings,
        crs=metric.crs,
        streets=metric.streets,
        areas=metric.frames["areas"],
        buildings=metric.frames["buildings"].drop(columns="address"),
        entrances=metric.frames["entrances"],
        residents=residents,
        stations=stations,
        candidates=as_tiers_say(metric.frames["candidates"], force.settings.dispatch),
        barriers=force.barriers,
        closures=force.closures,
        elevation=located[ELEVATION].path if ELEVATION in located else None,
        extent_m=metric.extent_m,
        attribution=_attribution(located, of_osm=layers.of_osm),
        fingerprint=digest(file.content, located),
        findings=findings,
        marked=marked,
        agents=rosters.agents,
        service=rosters.service,
    )
    return replace(told, study=study)


def not_given(study: Study) -> list[Breach]:
    """Return what an answer is worth without the inputs that a study may do without."""
    without = {
        "entrances": (len(study.entrances), "homes are left from their middle, not from their doors"),
        "barriers": (len(study.barriers), "legs to the street may cross walls, rails and water"),
        ELEVATION: (
            study.elevation is not None or (study.streets.node_tags["ele"] != "").any(),
            "the ground is taken for flat",
        ),
    }
    return [
        Breach(layer, "not-given", Said("none given: {}", sentence(what)), severity="note")
        for layer, (given, what) in without.items()
        if not given
    ]


def _folder(path: str | Path) -> str:
    """Return the name of the folder that a study lies in."""
    place = Path(path).resolve()
    return (place if place.is_dir() else place.parent).name


def _residents(file: StudyFile, layers: Layers) -> tuple[list[pd.DataFrame], list[Breach]]:
    """Return the sources of residents, of their own or the buildings' layer, and what is wrong with them."""
    classes = [c.name for c in file.settings.walking.classes]
    by_buildings = "residents" in layers.given.get("buildings", ())
    inputs = [source for source in file.inputs.values() if source.layer == "residents"]
    if not inputs:
        if by_buildings:
            counts = counts_of_buildings(layers.tables["buildings"])
            return [counts], check_counts(counts, classes)
        message = "[inputs] residents is missing; name a file of counts, or give buildings a column residents"
        return [], [Breach(STUDY_FILE, "missing-key", message, count=1)]
    found = []
    if by_buildings:
        message = "stated twice, in this layer and by the buildings; take one of them out"
        found.append(Breach("residents", "stated-twice", message, count=1))
    areas = layers.tables.get("areas", pd.DataFrame({"area_id": [], "name": []}, dtype="str"))
    sources = []
    for source in inputs:
        if source.name in layers.tables:
            given, about = counts_of_table(source, layers.tables[source.name], areas)
            found += about
            sources += [given] if given is not None else []
    if not sources:
        return [], found
    counts = pd.concat([pd.DataFrame(s[[c for c in s if c != "geometry"]]) for s in sources], ignore_index=True)
    counts.attrs = sources[0].attrs if len(sources) == 1 else {}
    counts = counts.fillna({c: 0.0 for c in counts if c.startswith(GROUP_PREFIX)})
    found += [*check_together(sources), *check_counts(counts, classes)]
    for by, layer in (("building", "buildings"), ("area", "areas")):
        if layers.ids(layer) or layer not in file.inputs:  # of a layer that could not be read nothing can be said
            found += check_targets(counts, by, among=layers.ids(layer))
    if layers.ids("areas"):
        found += check_levels(counts, layers.tables["areas"])
    return sources, found


def _settled(
    sources: list[pd.DataFrame], metric: Metric, seen: pd.DataFrame, *, sound: bool
) -> tuple[pd.DataFrame | None, list[Breach]]:
    """Return the residents brought together, None without a source; and what does not fit the buildings or areas.

    Where a count, building or area is not ``sound``, sums say nothing: only that is told which holds whatever they are.
    """
    areas, buildings = metric.frames["areas"], metric.frames["buildings"]
    if not sources:
        return None, check_areas(areas, buildings, None)
    residents, found = settle(sources if sound else with_sound_rows(sources), buildings, areas, seen=seen)
    found = [b for b in found if sound or b.rule not in OF_SUMS]
    about_counts = _check_counted(residents, buildings) if sound else []
    if any(set(source["by"]) & {"point", "cell", "area", "total"} for source in sources):
        about_counts += check_kinds(buildings)
    return residents, [*found, *about_counts, *check_areas(areas, buildings, residents)]


def _check_places(metric: Metric, *, unsure: set[str]) -> list[Breach]:
    """Check that places stand near the buildings they name, but of layers that look shifted as a whole."""
    return [
        b
        for layer in ("entrances", "stations", "candidates")
        if not {layer, "buildings"} & unsure
        for b in check_near_buildings(layer, metric.frames[layer], metric.frames["buildings"])
    ]


def _between(settings: Settings, layers: Layers) -> list[Breach]:
    """Check what one layer says of another by id, and the study file of the areas' levels."""
    found = []
    if layers.ids("areas"):
        areas = layers.tables["areas"]
        found += _check_eligible(settings.eligible, sorted(set(areas["level"])))
        reserved = areas["area_id"][areas["area_id"] == TOTAL]
        found += breach("areas", "reserved-id", "is the id of the table's last row; name the area otherwise", reserved)
    if buildings := layers.ids("buildings"):
        for layer in ("entrances", "stations", "candidates"):
            if layer in layers.tables:
                label = LAYERS[layer].key or "building_id"
                found += check_references(layer, "building_id", layers.tables[layer], among=buildings, label=label)
    return found


def _check_eligible(eligible: str, levels: list[str]) -> list[Breach]:
    if eligible in ("any", *levels):
        return []
    hint = nearest(eligible, levels)
    advice = Said("did you mean {}?", hint) if hint else Said("there are {}", ", ".join(levels))
    message = Said('[service] eligible must be "any" or a level of the areas, not {!r}; {}', eligible, advice)
    return [Breach(STUDY_FILE, "unknown-name", message, (eligible,), 1)]


def _check_ways(settings: Settings, streets: StreetWays) -> list[Breach]:
    """Check that the ways which the study file closes, opens or rules are streets, and that its gates are there."""
    walking, ways = settings.walking, set(streets.way_id)
    found = []
    for key, named, known, what in (
        ("closed", walking.closed, ways.union(streets.node_tags["id"]), "neither streets nor gates on them"),
        ("rules", [i for rule in walking.rules for i in rule.ids], ways, "ways that are no streets"),
        (
            "gates",
            [g.id for g in walking.gates],
            ways.union(streets.node_tags["id"]),
            "neither streets nor gates on them",
        ),
    ):
        found += breach(
            STUDY_FILE, "unknown-id", Said("[walking] {}: names {}", key, sentence(what)), sorted(set(named) - known)
        )
    return found


def _check_counted(residents: pd.DataFrame, buildings: pd.DataFrame) -> list[Breach]:
    """Tell which residential buildings inside the areas no row counts, where all are counted by building."""
    if not set(residents["by"]) <= {"building", "address", FOUND, UNPLACED}:
        return []
    homes = buildings["building_id"][buildings["kind"].isin(RESIDENTIAL_KINDS) & (buildings["area_id"] != "")]
    missing = homes[~are_among(homes, residents["target_id"])]
    message = "residential buildings that no row counts; they hold nobody"
    return breach("residents", "not-counted", message, missing, "warning")


def _reach_m(settings: Settings) -> float:
    """Return how far anyone walks within the largest circle, metres."""
    return settings.largest_circle.cutoff_s * max(c.speed_mps for c in settings.walking.classes)


def _attribution(located: Mapping[str, Located], *, of_osm: bool) -> tuple[str, ...]:
    """Return whom to name for the data, each once."""
    stated = [file.input.attribution for file in located.values() if file.input.attribution]
    return tuple(dict.fromkeys(([ATTRIBUTION] if of_osm else []) + stated))
