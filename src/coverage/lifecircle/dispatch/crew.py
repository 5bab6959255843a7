"""The agents of each station: who is on duty when, with which skills, for how many requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lifecircle.model import BoolArray, FloatArray, IntArray, LongArray, ReadOnlyArrays, Study
from lifecircle.readers.rosters import are_staff, needed_on_duty


@dataclass(frozen=True, eq=False)
class Crew(ReadOnlyArrays):
    """Agents by station, then by id: station s has those from ``first[s]`` to ``first[s + 1]``.

    ``skills`` (``;`` between them) are empty for all, ``hours`` for whenever the station serves; ``capacity`` is inf
    where there is no limit. A station that lists agents takes a request only where ``needed`` of them are on duty and
    one of these has the skill. ``joint`` has the items that two handle, each with the skill of the one who leads and of
    the one who assists.
    """

    agent_id: tuple[str, ...]
    skills: tuple[str, ...]
    hours: tuple[str, ...]
    capacity: FloatArray
    first: LongArray
    needed: IntArray
    joint: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, study: Study, stations: pd.DataFrame) -> Crew | None:
        """Return the agents of these stations, None where the study lists none."""
        if study.agents is None:
            return None
        staff = study.agents[are_staff(study.agents)]
        station = pd.Index(stations["station_id"]).get_indexer(staff["station_id"])
        order = np.argsort(station, kind="stable")
        order = order[station[order] >= 0]  # of a station that a scenario has closed nobody serves
        if not len(order):
            return None
        staff, station = staff.iloc[order], station[order]
        dispatch = study.settings.dispatch
        return cls(
            agent_id=tuple(staff["agent_id"]),
            skills=tuple(staff["skills"]),
            hours=tuple(staff["hours"]),
            capacity=np.floor(staff["capacity"].fillna(np.inf).to_numpy(dtype=np.float64)),
            first=np.searchsorted(station, np.arange(len(stations) + 1)).astype(np.int64),
            needed=needed_on_duty(dispatch, stations["tier"]).to_numpy(dtype=np.int32),
            joint=tuple((item, *pair) for item, pair in dispatch.joint.items()),
        )

    def __len__(self) -> int:
        return len(self.agent_id)

    @property
    def station(self) -> LongArray:
        """(n_agents,) the station of each."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    @property
    def has_agents(self) -> BoolArray:
        """(n_stations,) which stations list agents."""
        return np.diff(self.first) > 0

    def by_agents(self) -> BoolArray:
        """Return (n_stations,) where the capacities of agents count, since one of them has any."""
        return np.bincount(self.station, np.isfinite(self.capacity), len(self.first) - 1) > 0

    def lead_skill(self, item: str) -> str:
        """Return what the agent must know who takes an item."""
        return next((lead for each, lead, _ in self.joint if each == item), item)
