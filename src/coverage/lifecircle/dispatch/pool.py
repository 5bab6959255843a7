"""Requests that nobody is given: the first who may take one and claims it has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.dispatch.crew import Crew
from lifecircle.dispatch.crews import Lists, lists_of, who_can
from lifecircle.dispatch.helpers import Helpers, own_areas
from lifecircle.dispatch.preferences import PreferenceLists, Preferences
from lifecircle.dispatch.requests import Asked
from lifecircle.dispatch.roster import Roster
from lifecircle.dispatch.stops import with_stops
from lifecircle.errors import ClaimError, UnknownNameError
from lifecircle.ground import Footing, Ground, lay_ground
from lifecircle.model import FloatArray, Study
from lifecircle.readers.requests import PROBLEM, in_metres
from lifecircle.rules import warn_of
from lifecircle.said import Said


class Pool:
    """Open requests, and who may claim each.

    Examples
    --------
    >>> pool = Pool({"r1": ("a1", "a2")})
    >>> pool.claim("r1", "a2")
    >>> pool.taken
    {'r1': 'a2'}
    """

    def __init__(
        self, may_claim: Mapping[str, tuple[str, ...]], *, capacity: Mapping[str, float] | None = None
    ) -> None:
        """Open requests.

        Parameters
        ----------
        may_claim
            By request who may have it, the nearest first.
        capacity
            How many requests each may have; who is not named, any number.
        """
        self.may_claim = dict(may_claim)
        self._left = dict(capacity or {})
        self._taken: dict[str, str] = {}
        self._lock = Lock()

    @classmethod
    def of(cls, study: Study, requests: gpd.GeoDataFrame, *, ground: Ground | None = None) -> Pool:
        """Open the sound requests of a table whose items ``[dispatch] pool`` names; see `dispatch.assign` of these.

        Raises
        ------
        StudyError
            When ``[service]`` names a level that no area has, or ``[dispatch]`` tiers that stations do not have.
        """
        if ground is None:
            ground = lay_ground(study)
            warn_of(ground.findings)
        placed, _ = in_metres(requests, study.crs)
        sound = placed[placed[PROBLEM] == ""].reset_index(drop=True)
        stations = Roster.of(study)
        roster, footing = with_stops(study, ground, stations)
        asked = Asked.of(study, ground, roster, sound)
        rows = np.flatnonzero(np.isin(asked.item, study.settings.dispatch.pool))
        told = claimants(footing, roster, Helpers.of(study, ground, stations), asked.take(rows))
        who = told.groupby("request")["agent_id"].agg(tuple).reindex(range(len(rows)))
        ids = sound["request_id"].iloc[rows]
        capacity = study.agents.set_index("agent_id")["capacity"].dropna() if study.agents is not None else pd.Series()
        return cls(
            {str(i): each if isinstance(each, tuple) else () for i, each in zip(ids, who, strict=True)},
            capacity=capacity.to_dict(),
        )

    @property
    def open(self) -> tuple[str, ...]:
        """The requests that nobody has, in their order."""
        with self._lock:
            return tuple(request for request in self.may_claim if request not in self._taken)

    @property
    def taken(self) -> dict[str, str]:
        """Who has which request."""
        with self._lock:
            return dict(self._taken)

    def claim(self, request_id: str, agent_id: str) -> None:
        """Give a request to who claims it, if that may be: to one alone, however many ask at once.

        Raises
        ------
        UnknownNameError
            When there is no such request in the pool.
        ClaimError
            When it is taken already, or whoever claims it may not take it or has no room left.
        """
        with self._lock:
            if request_id not in self.may_claim:
                raise UnknownNameError(Said("no request {!r} is in the pool", request_id))
            if request_id in self._taken:
                raise ClaimError(Said("request {!r} is taken already", request_id))
            if agent_id not in self.may_claim[request_id]:
                raise ClaimError(Said("{!r} may not take request {!r}", agent_id, request_id))
            if self._left.get(agent_id, 1.0) < 1.0:
                raise ClaimError(Said("{!r} has no room left", agent_id))
            if agent_id in self._left:
                self._left[agent_id] -= 1.0
            self._taken[request_id] = agent_id


def claimants(footing: Footing, roster: Roster, helpers: Helpers | None, asked: Asked) -> pd.DataFrame:
    """Return who may claim which request: a row each with ``request`` (its number) and ``agent_id``, nearest first.

    These are the agents who could take it if it were sent to any of the stations, and the helpers; those of an area
    come last, for nobody knows how far they walk.
    """
    parts = [pd.DataFrame({"request": np.empty(0, np.int64), "seconds": np.empty(0), "agent_id": np.empty(0, object)})]
    if roster.crew is not None:
        known = _all(footing, roster, asked)
        parts.append(_told(roster.crew, asked, lists_of(roster, asked, known), known.seconds))
    if helpers is not None:
        there = asked.asking(helpers.standing, asked.item)
        there = replace(there, able=there.able & (helpers.standing.capacity >= 1))
        known = _all(helpers.footing, helpers.standing, there)
        ids = np.array(helpers.standing.station_id, dtype=object)[known.station]
        row = np.repeat(np.arange(len(asked.ask)), np.diff(known.indptr))
        parts.append(pd.DataFrame({"request": row, "seconds": known.seconds, "agent_id": ids}))
        if helpers.areal.crew is not None:
            there = asked.asking(helpers.areal, asked.item)
            lists = own_areas(helpers.tree, helpers.areal.crew, there)
            parts.append(_told(helpers.areal.crew, there, lists, np.full(len(lists.station), np.inf)))
    told = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    told = told.sort_values(["request", "seconds", "agent_id"], kind="stable")
    return told.drop_duplicates(["request", "agent_id"])[["request", "agent_id"]].reset_index(drop=True)


def _told(crew: Crew, asked: Asked, lists: Lists, seconds: FloatArray) -> pd.DataFrame:
    entry, agent = who_can(crew, asked, lists)
    request = np.repeat(np.arange(len(asked.ask)), np.diff(lists.indptr))[entry]
    ids = np.array(crew.agent_id, dtype=object)[agent]
    return pd.DataFrame({"request": request, "seconds": seconds[entry], "agent_id": ids})


def _all(footing: Footing, roster: Roster, asked: Asked) -> Preferences:
    """Return the whole lists of all that can take each request and be walked to."""
    lists = PreferenceLists(footing, roster, asked)
    while len(left := np.flatnonzero(np.isfinite(lists.complete_s))):
        lists.extend(left)
    return lists.preferences()
