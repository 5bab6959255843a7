"""A study opened: every file read once, checked once, projected once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lifecircle.agreement import are_among, check_counts, check_references, check_tree
from lifecircle.errors import Breach, InputError, SchemaError, SourceError, StudyError
from lifecircle.mark import unsaid
from lifecircle.model import Settings, StreetWays, Study
from lifecircle.readers.area_faults import check_areas
from lifecircle.readers.assembly import in_metres
from lifecircle.readers.files import SOURCE_RULES, Located, digest, locate
from lifecircle.readers.keys import STUDY_FILE
from lifecircle.readers.layers import Layers, read_layers
from lifecircle.readers.osm import ATTRIBUTION
from lifecircle.readers.placing import UNPLACED, settle
from lifecircle.readers.residents import (
    check_levels,
    check_targets,
    check_together,
    counts_of_buildings,
    counts_of_table,
)
from lifecircle.readers.shifts import check_datums
from lifecircle.readers.study_file import StudyFile, read_study_file
from lifecircle.schema import (
    ELEVATION,
    GROUP_PREFIX,
    LAYERS,
    RESIDENTIAL_KINDS,
    TOTAL,
    breach,
    nearest,
)


def open_study(path: str | Path) -> Study:
    """Read a study and all its files, check everything, and bring it into one metric CRS.

    Parameters
    ----------
    path
        The study file, or the folder that holds ``study.toml``.

    Returns
    -------
    Study
        Coordinates in metres in ``study.crs``; what was mended or is doubtful is in ``study.findings``.

    Raises
    ------
    StudyError
        When the study file says something that cannot be meant.
    SourceError
        When a file is missing or cannot be read.
    SchemaError
        When a layer breaks a rule. Whichever is raised, its ``breaches`` list all that is wrong.
    """
    study, breaches = check_study(path)
    if study is not None:
        return study
    errors = [b for b in breaches if b.severity == "error"]
    kind: type[InputError] = SchemaError
    if any(b.rule in SOURCE_RULES for b in errors):
        kind = SourceError
    if any(b.layer == STUDY_FILE and b.rule not in SOURCE_RULES for b in errors):
        kind = StudyError
    raise kind(f"{path}: the study cannot be used", breaches=errors)


def check_study(path: str | Path) -> tuple[Study | None, tuple[Breach, ...]]:
    """Read and check a study without raising.

    Returns
    -------
    tuple
        The study, None when anything is wrong with it; and every error, repair and warning, layer by layer.
    """
    try:
        file = read_study_file(Path(path))
    except InputError as error:
        return None, error.breaches
    found = [locate(source, file.path.parent) for source in file.inputs.values() if source.path]
    located = {f.input.name: f for f in found if isinstance(f, Located)}
    layers = read_layers({name: source for name, source in located.items() if name != ELEVATION}, datum=file.datum)
    breaches = [*file.breaches, *(f for f in found if isinstance(f, Breach)), *layers.breaches]
    sources, about_residents = _residents(file, layers)
    breaches += [*_between(file.settings, layers), *about_residents]
    breaches += check_datums(layers)
    metric, about_places = in_metres(layers, reach_m=_reach_m(file.settings))
    breaches += about_places
    residents = None
    if metric:
        breaches += _check_ways(file.settings, metric.streets)
        if sources and not any(b.severity == "error" for b in breaches):
            residents, found_there = settle(sources, metric.frames["buildings"], metric.frames["areas"])
            breaches += [*found_there, *_check_counted(residents, metric.frames["buildings"])]
            breaches += check_areas(metric.frames["areas"], metric.frames["buildings"], residents)
    marked = tuple(layer for layer in LAYERS if layer in layers.marked)
    if not file.settings.synthetic:
        breaches += unsaid(marked)
    breaches = sorted(breaches, key=lambda b: [STUDY_FILE, *LAYERS, ELEVATION].index(b.layer))
    if metric is None or residents is None or any(b.severity == "error" for b in breaches):
        return None, tuple(breaches)
    study = Study(
        path=file.path,
        settings=file.settings,
        crs=metric.crs,
        streets=metric.streets,
        areas=metric.frames["areas"],
        buildings=metric.frames["buildings"].drop(columns="address"),
        entrances=metric.frames["entrances"],
        residents=residents,
        stations=metric.frames["stations"],
        candidates=metric.frames["candidates"],
        barriers=metric.frames["barriers"],
        elevation=located[ELEVATION].path if ELEVATION in located else None,
        extent_m=metric.extent_m,
        attribution=_attribution(located, of_osm=layers.of_osm),
        fingerprint=digest(file.content, located),
        findings=tuple(breaches),
        marked=marked,
    )
    return study, study.findings


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
    counts = counts.fillna({c: 0.0 for c in counts if c.startswith(GROUP_PREFIX)})
    found += [*check_together(sources), *check_counts(counts, classes)]
    for by, layer in (("building", "buildings"), ("area", "areas")):
        if layers.ids(layer) or layer not in file.inputs:  # of a layer that could not be read nothing can be said
            found += check_targets(counts, by, among=layers.ids(layer))
    if layers.ids("areas"):
        found += check_levels(counts, layers.tables["areas"])
    return sources, found


def _between(settings: Settings, layers: Layers) -> list[Breach]:
    """Check what one layer says of another by id, and the study file of the areas' levels."""
    found = []
    if layers.ids("areas"):
        areas = layers.tables["areas"]
        found += [*check_tree(areas), *_check_eligible(settings.eligible, sorted(set(areas["level"])))]
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
    advice = f"did you mean {hint}?" if hint else f"there are {', '.join(levels)}"
    message = f'[service] eligible must be "any" or a level of the areas, not {eligible!r}; {advice}'
    return [Breach(STUDY_FILE, "unknown-name", message, (eligible,), 1)]


def _check_ways(settings: Settings, streets: StreetWays) -> list[Breach]:
    """Check that the ways which the study file closes, opens or rules are streets, and that its gates are there."""
    walking, ways = settings.walking, set(streets.way_id)
    found = []
    for key, named, known, what in (
        ("closed", walking.closed, ways, "ways that are no streets"),
        ("rules", [i for rule in walking.rules for i in rule.ids], ways, "ways that are no streets"),
        (
            "gates",
            [g.id for g in walking.gates],
            ways.union(streets.node_tags["id"]),
            "neither streets nor gates on them",
        ),
    ):
        found += breach(STUDY_FILE, "unknown-id", f"[walking] {key}: names {what}", sorted(set(named) - known))
    return found


def _check_counted(residents: pd.DataFrame, buildings: pd.DataFrame) -> list[Breach]:
    """Tell which residential buildings inside the areas no row counts, where all are counted by building."""
    if not set(residents["by"]) <= {"building", "address", UNPLACED}:
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
