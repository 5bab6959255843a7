"""T5: polygons of service areas agree with the walks, and what each costs."""

from __future__ import annotations

import time

import numpy as np
import shapely

from benchmarks.measure import Mark, Section, Timing
from lifecircle import cover, open_study
from lifecircle.model import TOLERANCE_S
from lifecircle.routing import within
from lifecircle.samples import monaco
from lifecircle.service_areas import service_areas

NEAR_S = 30.0
ROUNDS = 3


def drawings_section() -> Section:
    """Every station of Monaco by itself, both circles: is each building on the side that its walk says?"""
    covered = cover(open_study(monaco()))
    study, footing = covered.study, covered.ground.reference
    largest_s = study.settings.largest_circle.cutoff_s
    stations = footing.sites.take(covered.sites)
    walks = within(
        footing.network,
        stations,
        footing.homes,
        cutoff_s=largest_s + NEAR_S,
        speed_mps=footing.speed_mps,
        direction=footing.direction,
    )
    places = shapely.point_on_surface(study.buildings.geometry.to_numpy())
    row_of = {station: row for row, station in enumerate(covered.stations["station_id"])}
    cutoff_s = {circle.name: circle.cutoff_s for circle in study.settings.circles}

    spent = []
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        areas = service_areas(study, covered.ground, covered.stations, covered.sites, by_station=True)
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu_s, wall_s = min(spent)

    right, asked, right_near, asked_near = 0, 0, 0, 0
    for area in areas.itertuples():
        near, walked_s = walks.row(row_of[area.station_id])
        seconds = np.full(len(places), np.inf)
        seconds[near] = walked_s
        shapely.prepare(area.geometry)
        agree = shapely.contains(area.geometry, places) == (seconds <= cutoff_s[area.circle] + TOLERANCE_S)
        close = np.abs(seconds - cutoff_s[area.circle]) <= NEAR_S
        right, asked = right + int(agree.sum()), asked + len(agree)
        right_near, asked_near = right_near + int(agree[close].sum()), asked_near + int(close.sum())

    work = f"T5 polygons of {len(row_of)} stations x {len(cutoff_s)} circles, Monaco"
    share, share_near, each_s = right / asked, right_near / asked_near, cpu_s / len(areas)
    marks = [
        Mark(work, "buildings on their walk's side >= 99.9 %", f"{share:.3%}", share >= 0.999),
        Mark(work, f"of those within {NEAR_S:g} s >= 95 %", f"{share_near:.2%}", share_near >= 0.95),
        Mark(work, "<= 5 ms each", f"{each_s * 1e3:.1f} ms", each_s <= 5e-3),
    ]
    note = f"{asked:,} pairs of a polygon and a building, {asked_near:,} of them within {NEAR_S:g} s of the cutoff"
    return Section(work, [Timing("lifecircle, each", each_s, wall_s / len(areas))], marks, [note])
