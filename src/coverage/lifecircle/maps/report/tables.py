"""The figures of all scenarios as rows of text; what they are worked out from stands in `lifecircle.scenarios`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from lifecircle.areas import AreaTree
from lifecircle.asked import Scenario
from lifecircle.maps.report.paper import cut
from lifecircle.maps.report.words import words_in
from lifecircle.maps.words import group_names
from lifecircle.model import Settings, tenths_of_minutes
from lifecircle.numerals import figure, people, share
from lifecircle.said import in_language
from lifecircle.scenarios.comparison import AS_STATED, NOBODY, SPEEDS, TODAY, Comparison, hanging
from lifecircle.scenarios.outcome import Outcome
from lifecircle.scenarios.usual_names import own_name
from lifecircle.schema import TOTAL

SHORT = 24
"""Characters of a name that has a figure beside it in its cell."""

CENTS_BELOW = 100.0
"""Money for one resident is told to the hundredth below this."""

MOST_AREAS = 6
"""So many areas that gain most are told of a scenario, and so many that lose most."""

MOST_HANGING = 12
"""So many findings of single areas that hang on the speed."""

MOST_SITES = 100
"""So many new sites, and so many stations that close."""

Row = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Figures:
    """A comparison, told in its study's language."""

    comparison: Comparison

    @property
    def settings(self) -> Settings:
        """The study's."""
        return self.comparison.today.study.settings

    @cached_property
    def words(self) -> Mapping[str, str]:
        """Those of the report."""
        return words_in(self.settings.language)

    @cached_property
    def areas(self) -> pd.DataFrame:
        """Areas that hold no others, by id."""
        areas = self.comparison.today.study.areas
        return areas[areas["area_id"].isin(AreaTree.of(areas).lowest)].set_index("area_id", drop=False)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Of all areas by id: the name, else the id."""
        areas = self.comparison.today.study.areas
        return {i: name or i for i, name in zip(areas["area_id"], areas["name"], strict=True)}

    @cached_property
    def stated(self) -> pd.DataFrame:
        """Rows of all residents at the speeds that the study states."""
        table = self.comparison.table
        return table[(table["group"] == "all") & (table["speed"] == AS_STATED)]

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Those of all areas, by scenario."""
        return self.stated[self.stated["area_id"] == TOTAL].set_index("scenario")

    def scenario(self, name: str) -> str:
        """Return the name of a scenario, a word of ours for today."""
        return self.words["today"] if name == TODAY else name

    def within(self, circle: str) -> Iterator[Row]:
        """Yield who is in a circle with each scenario, and what that costs."""
        words = self.words
        headings = ("scenario", "stations", "people", "share", "won", "lost", "cost", "each", "worst")
        yield tuple(words[heading] for heading in headings)
        for name, row in self.totals.iterrows():
            worst = row[f"worst_area_{circle}"]
            at_worst = f"{cut(self.names[worst], SHORT)} ({share(row[f'worst_share_{circle}'])})" if worst else "-"
            yield (
                self.scenario(str(name)),
                people(row["stations"]),
                people(row[f"within_{circle}"]),
                share(row[f"share_{circle}"]),
                *(people(row[f"{what}_{circle}"]) for what in ("won", "lost")),
                figure(row["cost"], ",.10g"),
                price(row[f"cost_per_resident_{circle}"]),
                at_worst,
            )

    def walks(self) -> Iterator[Row]:
        """Yield how long residents walk, how many one station serves at most, and whom radii claim."""
        words, circles = self.words, [c.name for c in self.settings.circles]
        claimed = [words[w].format(c) for c in circles for w in ("radius", "by walks")]
        yield (*(words[w] for w in ("scenario", "mean", "median", "p90", "gini", "load")), *claimed)
        for name, row in self.totals.iterrows():
            yield (
                self.scenario(str(name)),
                figure(row["walk_mean_s"] / 60.0, ".1f"),
                *(minutes(row[f"walk_{what}_s"]) for what in ("p50", "p90")),
                figure(row["walk_gini"], ".3f"),
                people(row["load_max"]),
                *(people(row[f"{what}_{c}"]) for c in circles for what in ("radius", "within")),
            )

    def by_speed(self) -> Iterator[Row]:
        """Yield how many more residents than with the baseline are in each circle, at each walking speed."""
        table, words = self.comparison.table, self.words
        of_all = table[(table["group"] == "all") & (table["area_id"] == TOTAL)].set_index(["scenario", "speed"])
        yield (words["scenario"], words["circle"], *(words[f"at {speed}"] for speed in SPEEDS))
        for name in self.totals.index.drop(self.comparison.baseline):
            for circle in (c.name for c in self.settings.circles):
                more = (of_all.loc[(name, speed), f"change_within_{circle}"] for speed in SPEEDS)
                yield (self.scenario(name), circle, *(signed(each) for each in more))

    @cached_property
    def hanging(self) -> pd.DataFrame:
        """Findings that hang on the walking speed, those of all areas first.

        One row a scenario, circle and area, that of its first group; ``groups`` says of how many groups it is so.
        """
        found = hanging(self.comparison.table, self.settings.circles)
        where = ["scenario", "circle", "area_id"]
        found = found.assign(groups=found.groupby(where)["group"].transform("size")).drop_duplicates(where)
        return found.sort_values("area_id", key=lambda ids: ids != TOTAL, kind="stable").reset_index(drop=True)

    def hang(self) -> Iterator[Row]:
        """Yield the findings that hang on the walking speed, as many as `MOST_HANGING`."""
        words = self.words
        yield (*(words[w] for w in ("scenario", "circle", "whose")), *(words[f"at {speed}"] for speed in SPEEDS))
        for row in self.hanging.head(MOST_HANGING).to_dict("records"):
            where = words["all areas"] if row["area_id"] == TOTAL else self.names[row["area_id"]]
            whose, n = self.group(row["group"]), row["groups"]
            whose = whose if n == 1 else words["groups"].format(whose, more=n - 1, n=n)
            told = self.scenario(row["scenario"]), row["circle"], f"{where} · {whose}"
            yield (*told, *(signed(row[speed]) for speed in SPEEDS))

    def group(self, name: str) -> str:
        """Return what a group of residents is called."""
        return group_names(name)[self.settings.language]

    def circle_of(self, scenario: Scenario) -> str:
        """Return the circle that a scenario asks about; of one that asks nothing the smallest."""
        return scenario.circle or min(self.settings.circles, key=lambda c: c.minutes).name

    def sites(self, plan: Outcome) -> Iterator[Row]:
        """Yield the new sites of a plan in their order, and then what closes."""
        words, circle = self.words, self.circle_of(plan.scenario)
        sites = plan.sites[plan.sites["state"] != "fixed"].sort_values("order", na_position="last", kind="stable")
        gain = "saved" if plan.scenario.question == "shortest" else "gain"
        yield tuple(words[w] for w in ("order", "site", "id", "kind", "state", "opens", "cost", gain, "only here"))
        for state in (sites["state"] != "closed", sites["state"] == "closed"):
            for row in sites[state].head(MOST_SITES).to_dict("records"):
                is_closed = row["state"] == "closed"
                yield (
                    "" if pd.isna(row["order"]) else str(row["order"]),
                    *(str(row[c]) for c in ("name", "site_id")),
                    in_language(own_name(str(row["kind"])), self.settings.language),
                    words["closed" if is_closed else "opened"],
                    str(row["opens"]),
                    *(("", "", "") if is_closed else self._worth(row, circle)),
                )

    def _worth(self, row: Mapping[str, float], circle: str) -> Row:
        return figure(row["cost"], ",.10g"), people(row["gain"]), people(row[f"only_here_{circle}"])

    def unlisted(self, plan: Outcome) -> int:
        """Return how many new sites and stations that close `sites` leaves out."""
        changed = plan.sites["state"][plan.sites["state"] != "fixed"] == "closed"
        return sum(max(0, int(n) - MOST_SITES) for n in (changed.sum(), (~changed).sum()))

    def changed_areas(self, scenario: str, circle: str) -> pd.DataFrame:
        """Return the areas that gain in a circle, those that gain most first, and those that lose, most last."""
        rows = self.stated[(self.stated["scenario"] == scenario) & self.stated["area_id"].isin(self.areas.index)]
        change = f"change_within_{circle}"
        return rows[rows[change].abs() >= NOBODY].sort_values([change, "area_id"], ascending=[False, True])

    def areas_of(self, scenario: str, circle: str) -> Iterator[Row]:
        """Yield the areas that gain most and those that lose most."""
        words, rows = self.words, self.changed_areas(scenario, circle)
        named = self.scenario(self.comparison.baseline), self.scenario(scenario)
        yield (words["area"], words["residents"], *named, *(words[w] for w in ("won", "lost", "more")))
        gains = rows[rows[f"change_within_{circle}"] > 0].head(MOST_AREAS)
        losses = rows[rows[f"change_within_{circle}"] < 0].tail(MOST_AREAS)
        for row in pd.concat([gains, losses]).to_dict("records"):
            now, more = row[f"share_{circle}"], row[f"change_share_{circle}"]
            yield (
                self.names[row["area_id"]],
                people(row["residents"]),
                *(share(max(part, 0.0)) for part in (now - more, now)),
                *(people(row[f"{what}_{circle}"]) for what in ("won", "lost")),
                signed(row[f"change_within_{circle}"]),
            )

    def shares(self, scenario: str, circle: str) -> Mapping[str, float]:
        """Return the share of the residents of each area who are in a circle; NaN where there is none to show."""
        rows = self.stated[self.stated["scenario"] == scenario]
        return dict(zip(rows["area_id"], rows[f"share_{circle}"], strict=True))


def price(amount: float) -> str:
    """Return money for one resident, a small amount with its hundredths."""
    return figure(amount, ",.2f" if abs(amount) < CENTS_BELOW else ",.0f")


def minutes(seconds: float) -> str:
    """Return a walk's seconds in minutes, rounded up as everywhere; a dash where there is no walk."""
    return "-" if pd.isna(seconds) else f"{float(tenths_of_minutes(seconds)) / 10:.1f}"


def signed(residents: float) -> str:
    """Return how many more, or how many fewer; 0 for less than half a resident."""
    return "0" if abs(residents) < NOBODY else figure(residents, "+,.0f")
