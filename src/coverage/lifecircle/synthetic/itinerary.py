"""Where the teams of an itinerant service are in an ordinary week."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.synthetic.programme import Programme
from lifecircle.synthetic.tree import holders

ROUNDS = ("Mo", "Tu", "Th", "Fr")
DAY_MIN = (8 * 60 + 30, 17 * 60 + 30)
"""The working day of a team, minutes after midnight."""
TRAVEL_MIN = 30
"""From one stop to the next."""


def plan_rounds(stations: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, programme: Programme) -> gpd.GeoDataFrame:
    """Return where the teams of the itinerant tier are: on Wednesdays at home, on the other days at the stations below.

    Every station of the lowest tier in a team's area has its turn once a week; where there are fewer than days, more
    often.
    """
    tier = next((t for t in programme.tiers if t.name == programme.itinerant), None)
    columns = ["station_id", "weekday", "from", "to", "stop_id", "area_id", "geometry"]
    if tier is None:
        return gpd.GeoDataFrame(columns=columns, geometry="geometry", crs=stations.crs)
    team_of = holders(areas, programme.levels)[tier.per]
    teams = stations[stations["tier"] == tier.name]
    stops = stations[stations["tier"] == programme.tiers[0].name]
    visit = pd.DataFrame(
        {
            "station_id": team_of.loc[stops["area_id"]]
            .map(pd.Series(teams["station_id"].to_numpy(), index=team_of.loc[teams["area_id"]].to_numpy()))
            .to_numpy(),
            "row": stops.index,
        }
    )
    visit["nth"] = visit.groupby("station_id").cumcount()
    visit["of"] = visit.groupby("station_id")["nth"].transform("size")
    visit = pd.concat([visit.assign(nth=visit["nth"] + turn * visit["of"]) for turn in range(len(ROUNDS))])
    visit = visit[(visit["nth"] < visit["of"]) | (visit["nth"] < len(ROUNDS))]
    visit["day"], visit["slot"] = visit["nth"] % len(ROUNDS), visit["nth"] // len(ROUNDS)
    span = (DAY_MIN[1] - DAY_MIN[0]) // visit.groupby(["station_id", "day"])["slot"].transform("size")
    begin = DAY_MIN[0] + visit["slot"] * span
    on_tour = pd.DataFrame(
        {
            "station_id": visit["station_id"],
            "weekday": np.array(ROUNDS)[visit["day"]],
            "from": _clock(begin),
            "to": _clock(begin + span - np.where(span > 2 * TRAVEL_MIN, TRAVEL_MIN, 0)),
            "row": visit["row"],
        }
    )
    at_home = pd.DataFrame(
        {
            "station_id": teams["station_id"],
            "weekday": "We",
            "from": _clock(pd.Series(DAY_MIN[0], index=teams.index)),
            "to": _clock(pd.Series(DAY_MIN[1], index=teams.index)),
            "row": teams.index,
        }
    )
    plan = pd.concat([on_tour, at_home])
    week = plan["weekday"].map({day: i for i, day in enumerate(("Mo", "Tu", "We", "Th", "Fr"))})
    plan = plan.assign(week=week).sort_values(["station_id", "week", "from"], kind="stable")
    where = stations.loc[plan["row"]]
    plan = plan.assign(stop_id=where["station_id"].to_numpy(), area_id=where["area_id"].to_numpy())
    return gpd.GeoDataFrame(
        plan[columns[:-1]].reset_index(drop=True), geometry=where.geometry.to_numpy(), crs=stations.crs
    )


def as_service(plan: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the stops of a plan away from home as a study reads them: a row for each stop of each team."""
    away = plan[plan["station_id"] != plan["stop_id"]]
    hours = away["weekday"] + " " + away["from"] + "-" + away["to"]
    by = [away["station_id"], away["stop_id"]]
    stops = away.groupby(["station_id", "stop_id"], sort=False).first().reset_index()
    told = hours.groupby(by, sort=False).agg("; ".join).to_numpy()
    held = {"station_id": stops["station_id"], "how": "stop", "name": stops["stop_id"], "hours": told}
    return gpd.GeoDataFrame(held, geometry=gpd.GeoSeries(stops["geometry"], crs=plan.crs))


def _clock(minutes: pd.Series) -> pd.Series:
    """Return times of day, as in 08:30."""
    return (minutes // 60).map("{:02}".format) + ":" + (minutes % 60).map("{:02}".format)
