"""What `site` shows of a plan: its sites, how good it is, what closes, and why a site is in it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import pandas as pd
from rich.table import Table

from lifecircle.errors import SHOWN_IDS
from lifecircle.model import Circle, tenths_of_minutes
from lifecircle.numerals import ROUNDING, figure, people, share
from lifecircle.said import Said, first_of, joined, sentence
from lifecircle.scenarios import (
    NOBODY_ASKED,
    Plan,
    Spent,
    Standing,
    as_good,
    by_hand_in_words,
    is_changed,
    money_of,
    served_in_words,
    unit_of,
    why_nothing_opens,
)
from lifecircle.schema import TOTAL
from lifecircle.terminal import heading, out, plain, spoken, titled

LEAST = 0.5
"""Fewer residents than this, which would be told as none, are not told."""

OF_ITS_OWN = "under capacities a swap is a question of its own: drop the other from the candidates"

ENDINGS = {
    "time": "stopped at the time limit",
    "work": "stopped at the limit of the work",
    "interrupted": "stopped by Ctrl-C",
}
"""Why a search ended before its plan was proven the best."""


def show_plan(plan: Plan, *, time_limit_s: float | None = None) -> None:
    """Show the chosen sites in their order, what closes, what it costs, and how good the plan is.

    Parameters
    ----------
    time_limit_s
        Seconds that the search had, None where there was no limit.
    """
    language = plan.coverage.study.settings.language
    for line in _said_before(plan):
        out.print(spoken(line, language), soft_wrap=True)
    out.print(_table(plan, language))
    for line in (*_said_of_sites(plan), *_said_of_money(plan), *_said_of_residents(plan), *_proof(plan, time_limit_s)):
        out.print(spoken(line, language), soft_wrap=True)


def _table(plan: Plan, language: str) -> Table:
    """Return the chosen sites in their order."""
    scenario, sites = plan.scenario, plan.sites
    more = {
        "opens": bool(scenario.years or scenario.itinerary),
        "tier": bool(scenario.tiers),
        "cost": scenario.has_budget,
    }
    shown = [column for column, is_shown in more.items() if is_shown]
    won = "wins" if plan.solution.question.unit != "person-seconds" else "person-seconds saved"
    serves = ("serves",) if scenario.capacity else ()
    headings = [heading(name, language) for name in ("order", "site", "id", "kind", *shown, *serves, won, "only here")]
    table = Table(*headings, title=titled(scenario.name, plan.coverage.synthetic), title_justify="left")
    for row in sites[sites["state"] == "chosen"].to_dict("records"):
        figures = [people(row[c]) for c in (*(("load",) if serves else ()), "gain", f"only_here_{scenario.circle}")]
        told = [people(row[c]) if c == "cost" else plain(row[c]) for c in shown]
        named = plain(row["name"]), plain(row["site_id"]), plain(row["kind"])
        table.add_row(str(row["order"]), *named, *told, *figures)
    return table


def _said_of_sites(plan: Plan) -> Iterator[Said]:
    """Yield what else does as well, what closes and whom that hurts, and why no more sites are opened."""
    scenario, sites, solution = plan.scenario, plan.sites, plan.solution
    chosen = sites[(sites["state"] == "chosen") & (sites["next_best"] != "")]
    ties = [row for row in chosen.to_dict("records") if as_good(row["next_best_loss"], plan)]
    if ties:
        pairs = (Said("{} in place of {}", row["next_best"], row["site_id"]) for row in ties)
        yield Said("would do as well: {}", first_of([*pairs], SHOWN_IDS))
    closed = sites[sites["state"] == "closed"]
    if len(closed):
        yield from said_of_closings(by_name(closed), plan.coverage.study.settings.circles)
    opened, asked = len(solution.chosen), scenario.n_new
    if solution.status != "optimal":
        return  # a site more may do well yet
    if not opened:
        yield why_nothing_opens(plan)
    elif asked is not None and opened < asked and solution.question.unit == "residents":
        pattern = "{} of {} sites are opened: no further candidate wins anyone"
        if scenario.has_budget:
            pattern = "{} of {} sites are opened: no further candidate that the money is enough for wins anyone"
        yield Said(pattern, opened, asked)


def by_name(sites: pd.DataFrame) -> pd.DataFrame:
    """Return rows of sites.csv that each have a name, their id where they have none."""
    return sites.assign(name=sites["name"].where(sites["name"] != "", sites["site_id"]))


def said_of_closings(closed: pd.DataFrame, circles: Sequence[Circle]) -> Iterator[Said]:
    """Yield whom each station that closes hurts, those first by which most residents lose a circle, of many the first.

    Parameters
    ----------
    closed
        A row a station: its ``name`` and, where any closes, the columns of `lifecircle.scenarios.closings`.
    circles
        The study's.
    """
    if closed.empty:
        return
    lost = [f"lost_{circle.name}" for circle in circles]
    by_loss = closed.assign(most=closed[lost].max(axis=1))
    worst = by_loss.sort_values(["most", "farther"], ascending=False, kind="stable")
    for row in worst.head(SHOWN_IDS).to_dict("records"):
        yield Said("closes: {}: {}", row["name"], said_of_closing(row, circles))
    if len(closed) > SHOWN_IDS:
        yield Said("closes: {} stations in all: {}", len(closed), said_of_closing(_together(closed, lost), circles))


def _together(closed: pd.DataFrame, lost: list[str]) -> dict[Hashable, float]:
    """Return the figures of stations as those of one; NaN where one of them is not told."""
    sums = closed[[*lost, "farther", "farther_n"]].sum(skipna=False).to_dict()
    hurt = closed[closed["farther"] > 0.0]
    person_s = float((hurt["farther_mean_s"] * hurt["farther_n"]).sum())
    mean_s = person_s / sums["farther_n"] if sums["farther_n"] > 0.0 else math.nan
    return {**sums, "farther_mean_s": mean_s, "farther_max_s": hurt["farther_max_s"].max(skipna=False)}


def said_of_closing(row: Mapping[Hashable, Any], circles: Sequence[Circle]) -> str:
    """Return whom a station that closes hurts; ``row`` has the columns of `lifecircle.scenarios.closings`."""
    lost = {circle.name: row[f"lost_{circle.name}"] for circle in circles}
    told: list[str] = [Said("{} residents lose circle {}", people(n), name) for name, n in lost.items() if n >= LEAST]
    if row["farther"] >= LEAST:
        told.append(_said_of_farther(row))
    if any(map(pd.isna, (*lost.values(), row["farther"], row["farther_n"]))):
        others = "the other figures are of too few to be told"
        told.append(sentence(others if told else "too few lose by it to be told"))
    return joined(told, "{}; {}") or sentence("nobody loses by it")


def _said_of_farther(row: Mapping[Hashable, Any]) -> Said:
    """Return how many walk farther, and by how much as far as that is known and told."""
    walking = people(row["farther"])
    if row["farther_n"] < row["farther"]:
        return Said("{} walk farther, some of them to no station at all", walking)
    if pd.isna(row["farther_mean_s"]):
        return Said("{} walk farther", walking)
    mean, longest = (figure(float(tenths_of_minutes(row[f"farther_{of}_s"])) / 10, ".1f") for of in ("mean", "max"))
    if pd.isna(row["farther_max_s"]):
        return Said("{} walk farther, by {} minutes on average", walking, mean)
    return Said("{} walk farther, by {} minutes on average and {} at most", walking, mean, longest)


def _said_of_money(plan: Plan) -> Iterator[Said]:
    """Yield what is spent of what may be: in all, by year, and in the areas that spend most."""
    money = money_of(plan)
    if money is None:
        return
    total, areas = money.total, {area_id: spent for area_id, spent in money.by_area.items() if spent.spent > 0.0}
    yield Said("money: {}", _of_allowed(total))
    if money.by_year:
        yield Said("money by year: {}", joined(map(_of_allowed, money.by_year), "{}, {}"))
    if areas:
        most_first = sorted(areas, key=lambda area_id: -areas[area_id].spent)
        names = plan.coverage.study.areas.set_index("area_id")["name"]
        told = (Said("{}: {}", names[area_id] or area_id, _of_allowed(areas[area_id])) for area_id in most_first)
        yield Said("money by area: {}", first_of([*told], SHOWN_IDS))


def _of_allowed(money: Spent) -> Said:
    spent = f"{money.spent:,.10g}"
    return Said("{} spent", spent) if money.allowed is None else Said("{} of {} spent", spent, f"{money.allowed:,.10g}")


def _said_of_residents(plan: Plan) -> Iterator[Said]:
    """Yield how many residents are reached, of whom a share is taken, and how many are served."""
    scenario, rows = plan.scenario, plan.coverage.table
    everyone = rows.loc[(rows["area_id"] == TOTAL) & (rows["group"] == "all"), "residents"].iloc[0]
    all_share, reachable_share = (share(plan.reached / n) if n > 0 else "-" for n in (everyone, plan.reachable))
    yield Said(
        "{} residents within {}: {} of all, {} of those whom all candidates together could reach",
        people(plan.reached),
        " & ".join(scenario.circles),
        all_share,
        reachable_share,
    )
    if scenario.share is not None and plan.reachable < everyone * (1.0 - ROUNDING):
        of_whom = "the share {:g} is of those {}; for a share of all residents write floors = [{{ share = {:g} }}]"
        yield Said(of_whom, scenario.share, people(plan.reachable), scenario.share)
    closing, in_residents = len(plan.solution.decision.closed), plan.solution.question.unit == "residents"
    if closing and in_residents and not scenario.capacity:
        after = "of these {} are within it by the stations that stay; what each site wins is counted from there"
        yield Said(after, people(plan.reached - float(plan.solution.gain.sum())))
    if scenario.question == "shortest":
        costs = "a walk beyond circle {} counts as one of its minutes, in the value and in the bound"
        yield Said(costs, scenario.circle)
    if served := served_in_words(plan):
        yield served


def _proof(plan: Plan, time_limit_s: float | None) -> Iterator[Said]:
    """Yield the value beside today's and its bound, the worst case, and why the search stopped."""
    solution = plan.solution
    of_gain = solution.gap_gain
    gain = "" if of_gain is None else Said(" ({} of what could be gained)", figure(of_gain, ".2%"))
    value, bound = _amount(solution.value), _amount(solution.bound)
    told = Said("{} {}", value, unit_of(solution.question))
    if solution.today is not None:
        before = "{} ({} with what is stated by hand)" if is_changed(plan.scenario) else "{} ({} today)"
        told = Said(before, told, _amount(solution.today))
    status = sentence(solution.status)
    if plan.lacking:
        status = Said("{} as far as there are places", status)
    yield Said("value {}, bound {}, gap {}{}, {}", told, bound, figure(solution.gap, ".2%"), gain, status)
    if plan.by_case and not any(map(math.isnan, plan.by_case.values())):  # one not told may be the worst
        worst_first = sorted(plan.by_case.items(), key=itemgetter(1), reverse=solution.question.sense == "min")
        (worst, least), *others = ((name, _amount(amount)) for name, amount in worst_first)
        yield Said("the worst case is {}: {}", worst, least)
        if others:
            named = (Said("{}: {}", *other) for other in others)
            yield Said("the other cases: {}", first_of([*named], SHOWN_IDS))
    if solution.status == "feasible":
        yield _cut_short(plan, time_limit_s)


def _said_before(plan: Plan) -> Iterator[Said]:
    """Yield what has to be known before the sites of a plan are read."""
    yield from by_hand_in_words(plan.scenario)
    if plan.source == "proposed":
        told = NOBODY_ASKED
        if not plan.scenario.candidates_from:
            told = (
                "the study lists no candidates: these sites are buildings amid those who need one, not rooms, and "
                "nobody has asked their owners"
            )
        yield sentence(told)
    if plan.lacking:
        lacking = first_of(plan.lacking, SHOWN_IDS)
        yield Said("fewer places than at_least asks for, all of them open: {}", lacking)


def _amount(value: float) -> str:
    """Return a figure in the unit of a value; stations, like most counts of residents, are whole."""
    return figure(value + 0.0, ",.1f").removesuffix(".0")  # a bound of -0 is 0


def _cut_short(plan: Plan, time_limit_s: float | None) -> Said:
    """Return why a plan is not proven the best, and how much better another can be."""
    solution = plan.solution
    why = sentence(ENDINGS.get(solution.ended, "no further search makes the plan any better"))
    if solution.ended == "time" and time_limit_s is not None:
        why = Said("stopped after the {:g} s of --time-limit", time_limit_s)
    missing = _amount(abs(solution.bound - solution.value))
    return Said("{}: no plan is better by more than {} {}", why, missing, unit_of(solution.question))


def show_why(standing: Standing, plan: Plan) -> None:
    """Show why a place is among the sites of a plan, or why not."""
    out.print(spoken(_why(standing, plan), plan.coverage.study.settings.language), soft_wrap=True)


def _why(standing: Standing, plan: Plan) -> Said:
    place, unit, circle = standing.site_id, unit_of(plan.solution.question), plan.scenario.circle
    reached: str = ""
    if standing.reached is not None:
        reached = Said("{} residents within {} of it; ", people(standing.reached), circle)
    worse = None if standing.worse_by is None else Said("{} {}", _amount(standing.worse_by), unit)
    in_seconds = plan.solution.question.unit == "person-seconds"
    if standing.state == "fixed":
        if standing.only_here is None:
            return Said("{} stands today and does not count for circle {}", place, circle)
        alone = Said("{} of them reach no other", people(standing.only_here))
        told = Said("{} stands today: {}{}", place, reached, alone)
        return told if worse is None else Said("{}; without it the plan loses {}", told, worse)
    if standing.state == "closed":
        [row] = plan.sites[plan.sites["site_id"] == place].to_dict("records")
        return Said("{} closes: {}", place, said_of_closing(row, plan.coverage.study.settings.circles))
    if standing.state == "chosen":
        best: str = sentence(OF_ITS_OWN if plan.scenario.capacity else "nothing stands in for it")
        if standing.instead_of and worse is not None and standing.worse_by is not None:
            best = Said("the best substitute, {}, would lose {}", standing.instead_of, worse)
            if as_good(standing.worse_by, plan):
                best = Said("{} would do as well", standing.instead_of)
        won, much = "{} is chosen: {}it wins {} in its turn; {}", standing.gain or 0.0
        if in_seconds:
            won = "{} is chosen: {}it saves {} person-seconds in its turn; {}"
        if plan.scenario.capacity:
            won, much = "{} is chosen: {}it serves {}; {}", _load_of(place, plan)
        return Said(won, place, reached, people(much), best)
    if standing.state == "not chosen":
        more = "it wins {} more beside the plan; "
        if in_seconds:
            more = "it saves {} person-seconds more beside the plan; "
        wins = "" if standing.gain is None else Said(more, people(standing.gain))
        return Said("{} is not chosen: {}{}{}", place, reached, wins, _swapped(standing, worse, plan))
    return Said("{} does not count for this question", place)


def _load_of(place: str, plan: Plan) -> float:
    """Return the residents whom a site serves."""
    load = plan.sites.set_index("site_id")["load"]
    return float(load[place])


def _swapped(standing: Standing, worse: Said | None, plan: Plan) -> Said:
    """Return what a site that is not chosen would cost the plan."""
    if worse is not None and standing.worse_by is not None:
        if standing.instead_of and as_good(standing.worse_by, plan):
            return Said("in place of {} it would do as well", standing.instead_of)
        swapped = Said("in place of {} the plan is worse by {}", standing.instead_of, worse)
        return swapped if standing.instead_of else Said("added, the plan is worse by {}", worse)
    if plan.scenario.capacity:
        return sentence(OF_ITS_OWN)
    return sentence("no swap with it meets the conditions")
