"""What `site` and `what-if` show: the sites of a plan, how good it is, why a site is in it, what a change does."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from lifecircle.errors import SHOWN_IDS
from lifecircle.said import Said, in_language, sentence
from lifecircle.scenarios import Plan, Situation, Standing, why_nothing_opens
from lifecircle.scenarios.candidates import NOBODY_ASKED
from lifecircle.schema import TOTAL
from lifecircle.terminal import ROUNDING, figure, heading, out, people, plain, share, spoken, titled

STANDINGS = {"fixed": "{} stands today", "closed": "{} closes"}
"""What is told of a place that is no candidate of a plan, by how it stands to it."""

ENDINGS = {
    "time": "stopped at the time limit",
    "work": "stopped at the limit of the work",
    "interrupted": "stopped by Ctrl-C",
}
"""Why a search ended before its plan was proven the best."""

_LESS = "at most {} {} less are possible"


def show_plan(plan: Plan, *, time_limit_s: float | None = None) -> None:
    """Show the chosen sites in their order, and how good the plan is.

    Parameters
    ----------
    time_limit_s
        Seconds that the search had, None where there was no limit.
    """
    solution, language = plan.solution, plan.coverage.study.settings.language
    title = titled(plan.scenario.name, plan.coverage.synthetic)
    scenario, sites = plan.scenario, plan.sites
    for line in _said_before(plan):
        out.print(spoken(line, language), soft_wrap=True)
    more = {
        "opens": bool(scenario.years or scenario.itinerary),
        "tier": bool(scenario.tiers),
        "cost": scenario.has_budget,
    }
    shown = [column for column, is_shown in more.items() if is_shown]
    won = "wins" if solution.question.unit != "person-seconds" else "person-seconds saved"
    headings = [heading(name, language) for name in ("order", "site", "kind", *shown, won, "only here")]
    table = Table(*headings, title=title, title_justify="left")
    for row in sites[sites["state"] == "chosen"].to_dict("records"):
        figures = people(row["gain"]), people(row[f"only_here_{scenario.circle}"])
        told = [people(row[c]) if c == "cost" else plain(row[c]) for c in shown]
        table.add_row(str(row["order"]), plain(row["name"] or row["site_id"]), plain(row["kind"]), *told, *figures)
    out.print(table)
    for row in sites[sites["state"] == "closed"].to_dict("records"):
        out.print(spoken(Said("closes: {}", row["name"] or row["site_id"]), language), soft_wrap=True)
    opened, asked = len(solution.chosen), scenario.n_new
    if not opened:
        out.print(spoken(why_nothing_opens(plan), language), soft_wrap=True)
    elif asked is not None and opened < asked and solution.question.unit == "residents":
        pattern = "{} of {} sites are opened: no further candidate wins anyone"
        if scenario.has_budget:
            pattern = "{} of {} sites are opened: no further candidate that the money is enough for wins anyone"
        out.print(spoken(Said(pattern, opened, asked), language), soft_wrap=True)
    table_rows = plan.coverage.table
    is_total = (table_rows["area_id"] == TOTAL) & (table_rows["group"] == "all")
    everyone = table_rows.loc[is_total, "residents"].iloc[0]
    all_share, reachable_share = (share(plan.reached / n) if n > 0 else "-" for n in (everyone, plan.reachable))
    reached = Said(
        "{} residents within {}: {} of all, {} of those whom all candidates together could reach",
        people(plan.reached),
        " & ".join(scenario.circles),
        all_share,
        reachable_share,
    )
    out.print(spoken(reached, language), soft_wrap=True)
    if scenario.share is not None and plan.reachable < everyone * (1.0 - ROUNDING):
        of_whom = "the share {:g} is of those {}; for a share of all residents write floors = [{{ share = {:g} }}]"
        those = Said(of_whom, scenario.share, people(plan.reachable), scenario.share)
        out.print(spoken(those, language), soft_wrap=True)
    if plan.served is not None:
        served = Said("{} residents are served: there is room for them where they can walk to", people(plan.served))
        out.print(spoken(served, language), soft_wrap=True)
    of_gain = solution.gap_gain
    gain = "" if of_gain is None else Said(" ({} of what could be gained)", figure(of_gain, ".2%"))
    value, bound = figure(solution.value, ",.1f"), figure(solution.bound, ",.1f")
    gap, unit = figure(solution.gap, ".2%"), sentence(solution.question.unit)
    if scenario.years:
        unit = Said("{} summed over {} years", unit, len(scenario.years))
    status = sentence(solution.status)
    if plan.lacking:
        status = Said("{} as far as there are places", status)
    proof = Said("value {} {}, bound {}, gap {}{}, {}", value, unit, bound, gap, gain, status)
    out.print(spoken(proof, language), soft_wrap=True)
    if solution.status == "feasible":
        out.print(spoken(_cut_short(plan, time_limit_s), language), soft_wrap=True)


def _said_before(plan: Plan) -> Iterator[Said]:
    """Yield what has to be known before the sites of a plan are read."""
    if plan.source == "proposed":
        told = NOBODY_ASKED
        if not plan.scenario.candidates_from:
            told = (
                "the study lists no candidates: these sites are buildings amid those who need one, not rooms, and "
                "nobody has asked their owners"
            )
        yield sentence(told)
    if plan.lacking:
        named, rest = ", ".join(plan.lacking[:SHOWN_IDS]), len(plan.lacking) - SHOWN_IDS
        names = Said("{} and {} more", named, rest) if rest > 0 else named
        yield Said("fewer places than at_least asks for, all of them open: {}", names)


def _cut_short(plan: Plan, time_limit_s: float | None) -> Said:
    """Return why a plan is not proven the best, and how much better another can be."""
    solution = plan.solution
    why = sentence(ENDINGS.get(solution.ended, "no further search makes the plan any better"))
    if solution.ended == "time" and time_limit_s is not None:
        why = Said("stopped after the {:g} s of --time-limit", time_limit_s)
    missing, unit = figure(abs(solution.bound - solution.value), ",.1f"), sentence(solution.question.unit)
    more = Said("at most {} {} more are possible" if solution.question.sense == "max" else _LESS, missing, unit)
    return Said("{}: this is the best plan so far, and {}", why, more)


def show_why(standing: Standing, plan: Plan) -> None:
    """Show why a place is among the sites of a plan, or why not."""
    place, unit, language = standing.site_id, plan.solution.question.unit, plan.coverage.study.settings.language
    told = Said(STANDINGS.get(standing.state, "{} does not count for this question"), place)
    reached: str = ""
    if standing.reached is not None:
        reached = Said("{} residents within {} of it; ", people(standing.reached), plan.scenario.circle)
    worse = None if standing.worse_by is None else Said("{:,.1f} {}", standing.worse_by, sentence(unit))
    if standing.state == "chosen":
        best = sentence("nothing stands in for it")
        if standing.instead_of and worse is not None:
            best = Said("the best substitute, {}, would lose {}", standing.instead_of, worse)
        won = "{} is chosen: {}it wins {} in its turn; {}"
        if unit == "person-seconds":
            won = "{} is chosen: {}it saves {} person-seconds in its turn; {}"
        told = Said(won, place, reached, people(standing.gain or 0.0), best)
    elif standing.state == "not chosen":
        gain = standing.gain
        more = "it wins {} more beside the plan; "
        if unit == "person-seconds":
            more = "it saves {} person-seconds more beside the plan; "
        wins = "" if gain is None else Said(more, people(gain))
        told = Said("{} is not chosen: {}{}{}", place, reached, wins, _swapped(standing.instead_of, worse, plan))
    out.print(spoken(told, language), soft_wrap=True)


def _swapped(instead_of: str, worse: Said | None, plan: Plan) -> Said:
    """Return what a site that is not chosen would cost the plan."""
    if worse is not None:
        swapped = Said("in place of {} the plan is worse by {}", instead_of, worse)
        return swapped if instead_of else Said("added, the plan is worse by {}", worse)
    if plan.scenario.capacity:
        return sentence("under capacities a swap is a question of its own: drop the other from the candidates")
    return sentence("no swap with it meets the conditions")


def show_change(before: Situation, after: Situation) -> None:
    """Show the residents of all areas within each circle before and after a change, by group."""
    language = before.today.study.settings.language
    title = titled(in_language("What if", language), before.today.synthetic)
    headings = [heading(name, language) for name in ("circle", "group", "before", "after", "change")]
    table = Table(*headings, title=title, title_justify="left")
    totals = [t.table[t.table["area_id"] == TOTAL].set_index("group") for t in (before, after)]
    for circle in before.today.study.settings.circles:
        column = f"within_{circle.name}"
        for group in totals[0].index:
            old, new = (float(total.loc[group, column]) for total in totals)
            whose = heading(str(group).replace("_", " "), language)
            table.add_row(plain(circle.name), whose, people(old), people(new), f"{new - old:+,.0f}")
    out.print(table)
