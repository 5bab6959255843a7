"""What a siting question means, by trying everything: every set of sites, tiers, years and days, on dense tables.

Written apart from the package: it takes the questions' fields and a table ``seconds[home][site]`` (inf: no way), and
nothing else of it.
"""

import itertools

import numpy as np
from scipy.optimize import LinearConstraint, milp

INCLUSIVE_S = 1e-6


def best(question, seconds, weights, fixed, *, year=None):
    """The value of the best plan, in one year or all; None where no plan meets the question."""
    values = [
        value
        for opened, closed in decisions(question, seconds.shape[1], fixed)
        if (value := value_of(question, seconds, weights, fixed, opened, closed, only=year)) is not None
    ]
    if not values:
        return None
    return max(values) if question.objective.name == "most" else min(values)


def decisions(question, n_sites, fixed):
    """Every {site: (tier, period)} to open, with every set of sites to close."""
    periods = len(question.budget.by_year) or 1 if question.budget is not None else 1
    if question.itinerary is not None:
        periods = question.itinerary.days
    tiers = 1 if question.tiers is None else question.tiers.n
    ways = [None, *itertools.product(range(tiers), range(periods))]
    free = [site for site in range(n_sites) if site not in fixed]
    closable = () if question.moves is None else question.moves.may_close
    for choice in itertools.product(ways, repeat=len(free)):
        opened = {site: way for site, way in zip(free, choice, strict=True) if way is not None}
        if affordable(question, opened):
            for size in range(len(closable) + 1):
                for closed in itertools.combinations(closable, size):
                    if allowed(question, fixed, opened, closed):
                        yield opened, closed


def cost(question, site, tier):
    if question.budget is None:
        return 0.0
    table = question.budget.cost
    return float(table[site] if table.ndim == 1 else table[tier, site])


def affordable(question, opened):
    if question.budget is None:
        return True
    price = {site: cost(question, site, tier) for site, (tier, _) in opened.items()}
    budget = question.budget
    if not all(np.isfinite(p) for p in price.values()):
        return False
    if budget.total is not None and sum(price.values()) > budget.total:
        return False
    if budget.by_area is not None:
        for area, amount in enumerate(budget.by_area):
            if sum(p for site, p in price.items() if budget.site_area[site] == area) > amount:
                return False
    return all(
        sum(p for site, p in price.items() if opened[site][1] == year) <= amount
        for year, amount in enumerate(budget.by_year)
    )


def allowed(question, fixed, opened, closed):
    if question.moves is not None:
        if len(closed) > question.moves.at_most or len(opened) > len(closed) + (question.n_new or 0):
            return False
    elif question.n_new is not None and len(opened) > question.n_new:
        return False
    if question.itinerary is not None:
        tour = question.itinerary
        for day in range(tour.days):
            if sum(period == day for _, period in opened.values()) > tour.stops_per_day:
                return False
        if tour.available is not None and not all(tour.available[day, site] for site, (_, day) in opened.items()):
            return False
    if question.at_least is not None:
        area = question.at_least.site_area
        stays = [*opened, *(site for site in fixed if site not in closed)]
        for index in set(area.tolist()) - {-1}:
            has = sum(area[site] == index for site in stays)
            if has < min(question.at_least.n, int((area == index).sum())):
                return False
    return True


def value_of(question, seconds, weights, fixed, opened, closed, *, only=None):
    """The value of one decision; None where a share or a home is not reached."""
    objective = question.objective
    cases = question.cases or (None,)
    years = max(1, len(question.budget.by_year)) if question.budget is not None else 1
    per_year = []
    for year in range(years):
        per_case = []
        for case in cases:
            table = table_of(seconds, case)
            tiers = in_service(question, fixed, opened, closed, case, year)
            floors = shares(question, table, weights, fixed, case) if year == years - 1 else []
            every = everything(question, seconds.shape[1], fixed, case)
            found = year_value(question, table, weights, tiers, floors, every)
            if found is None:
                return None
            per_case.append(found)
        per_year.append(min(per_case) if objective.name == "most" else max(per_case))
    if objective.name == "fewest":
        return float(len(opened))
    return float(sum(per_year) if only is None else per_year[only])


def table_of(seconds, case):
    if case is None or case.walks is None:
        return seconds
    table = np.full(seconds.shape, np.inf)
    for site in range(table.shape[1]):
        homes, walked = case.walks.row(site)
        table[homes, site] = walked
    return table


def in_service(question, fixed, opened, closed, case, year):
    """{site: tier} of the sites that serve at the end of a year."""
    standing = None if question.tiers is None else question.tiers.standing
    tiers = {site: 0 if standing is None else int(standing[site]) for site in fixed if site not in closed}
    tiers |= {site: tier for site, (tier, period) in opened.items() if question.itinerary is not None or period <= year}
    return {site: tier for site, tier in tiers.items() if case is None or site not in case.out_of_service}


def times(table, tiers, standards):
    met = []
    for standard in standards:
        sites = [site for site, tier in tiers.items() if tier >= standard.tier]
        met.append((table[:, sites] <= standard.cutoff_s + INCLUSIVE_S).sum(axis=1))
    return np.min(met, axis=0)


def everything(question, n_sites, fixed, case):
    """{site: the highest tier it can have} of all sites in service."""
    found = {}
    for site in range(n_sites):
        if case is not None and site in case.out_of_service:
            continue
        if site in fixed:
            standing = None if question.tiers is None else question.tiers.standing
            found[site] = 0 if standing is None else int(standing[site])
            continue
        if question.itinerary is not None and question.itinerary.available is not None:
            if question.itinerary.available[:, site].any():
                found[site] = 0
            continue
        tiers = range(1 if question.tiers is None else question.tiers.n)
        possible = [tier for tier in tiers if np.isfinite(cost(question, site, tier))]
        if possible:
            found[site] = max(possible)
    return found


def shares(question, table, weights, fixed, case):
    """(persons per home, how many of them must be reached, standards) of every share that is asked for."""
    asked = []
    every = everything(question, table.shape[1], fixed, case)
    if question.objective.name == "fewest" and question.objective.share is not None:
        can = times(table, every, question.objective.standards) > 0
        asked.append((weights, question.objective.share * weights[can].sum(), question.objective.standards))
    for floor in question.floors:
        persons = weights if floor.who is None else floor.who
        standards = floor.standards or question.objective.standards
        base = persons * (times(table, every, standards) > 0) if floor.of == "reachable" else persons
        areas = [None] if floor.area is None else sorted(set(floor.area.tolist()) - {-1})
        for area in areas:
            here = np.ones(len(weights)) if area is None else (floor.area == area)
            asked.append((persons * here, floor.share * (base * here).sum(), standards))
    return asked


def year_value(question, table, weights, tiers, floors, every):
    objective = question.objective
    worth = weights if question.priority is None else weights * question.priority
    if question.capacity is not None:
        return served(question, table, weights, worth, tiers, floors)
    for persons, need, standards in floors:
        if persons[times(table, tiers, standards) > 0].sum() < need - 1e-9 * max(1.0, need):
            return None
    if objective.name == "most":
        often = times(table, tiers, objective.standards)
        return worth[often >= 1].sum() + question.backup * worth[often >= 2].sum()
    nearest = table[:, list(tiers)].min(axis=1) if tiers else np.full(len(weights), np.inf)
    if objective.name == "shortest":
        return (worth * np.minimum(nearest, objective.cutoff_s)).sum()
    if objective.name == "fairest":
        could = np.isfinite(table[:, list(every)]).any(axis=1) & (weights > 0.0)
        longest = nearest[could].max(initial=0.0)
        return longest if np.isfinite(longest) else None
    return 0.0


def served(question, table, weights, worth, tiers, floors):
    """The best assignment to open sites, by linear or, where homes may not split, whole-number programming."""
    capacity, cutoff = question.capacity, question.objective.cutoff_s
    load = weights if capacity.load is None else capacity.load
    pairs = [(i, j) for i in range(len(weights)) for j in tiers if table[i, j] <= cutoff + INCLUSIVE_S]
    home, site = (np.array([pair[k] for pair in pairs], dtype=int) for k in (0, 1))
    if question.objective.name == "shortest":
        gain = worth[home] * (cutoff - np.minimum(table[home, site], cutoff))
    else:
        gain = worth[home] if question.objective.name == "most" else np.zeros(len(pairs))
    rows = [((home == i).astype(float), -np.inf, 1.0) for i in set(home.tolist())]
    rows += [((site == j) * load[home], -np.inf, capacity.limit[j]) for j in set(site.tolist())]
    rows += [(persons[home], need - 1e-9 * max(1.0, need), np.inf) for persons, need, _ in floors]
    if not pairs:
        feasible = all(low <= 0.0 for _, low, _ in rows)
        total = 0.0
    else:
        found = milp(
            -gain,
            integrality=np.full(len(pairs), 0 if capacity.split else 1),
            bounds=(0, 1),
            constraints=[LinearConstraint(row, low, high) for row, low, high in rows],
            options={"mip_rel_gap": 0.0},
        )
        feasible, total = found.status == 0, 0.0 if found.fun is None else -found.fun
    if not feasible:
        return None
    return (worth * cutoff).sum() - total if question.objective.name == "shortest" else total
