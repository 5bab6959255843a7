"""Siting questions of a study: asked in its own words, answered in its own ids; and who is left unserved.

Today's stations are kept unless a question may close some; beside them the candidates compete. Residents outside every
area load stations but are no coverage, so they weigh nothing in an objective. One question goes through these modules:

    check       whether it can be meant, before anybody walks
    stated      the ground that it starts from: today, with what is opened, closed, moved and slowed by hand
    candidates  where candidates come from: the study, rooms, or proposed for unserved residents
    sites       all places with the walks to them
    costs       what opening a site costs, and as what it can open
    question    the question in the numbers of `lifecircle.siting`
    posed       and the walks it is about
    answer      the answer
    outcome     in ids, with the coverage it makes
    site_rows   and whom each site reaches
    plan        how good that is, where something was asked
    closings    whom it hurts that stations close
    worth       what the value counts, and what it is in each case
    money       what is spent of what may be
    unopened    why it opens nothing
    lacking     areas with fewer places than stations are asked for
    refusals    or why there is none, in ids
    reasons     why a candidate is not among the chosen
    usual_names names of groups, levels and kinds that are said in the language of the study
    what_if     the city's figures after a change
    measures    the figures of a set of stations at a walking speed
    loads       the residents of each of them
    unanswered  why some have no plan
    comparison  those of all scenarios side by side
    stages      and of the years that a plan is built in
    unserved    who is left
"""

from lifecircle.scenarios.answer import Report, evaluate, find_scenario, site, site_or_evaluate
from lifecircle.scenarios.asked_in_words import by_hand_in_words
from lifecircle.scenarios.candidates import NOBODY_ASKED
from lifecircle.scenarios.check import check_scenarios, refuse_senseless
from lifecircle.scenarios.closings import FARTHER
from lifecircle.scenarios.comparison import (
    TODAY,
    Comparison,
    compare,
    refuse_incomparable,
    side_by_side,
)
from lifecircle.scenarios.money import Spent, money_of
from lifecircle.scenarios.outcome import Outcome
from lifecircle.scenarios.plan import Plan, served_in_words
from lifecircle.scenarios.reasons import Standing, as_good, refuse_unknown, why
from lifecircle.scenarios.sites import Sites, possible_sites
from lifecircle.scenarios.stages import Stage, stages_of
from lifecircle.scenarios.stated import OPENED, is_changed
from lifecircle.scenarios.unanswered import each_answered
from lifecircle.scenarios.unopened import why_nothing_opens
from lifecircle.scenarios.unserved import unserved_areas
from lifecircle.scenarios.what_if import BestAdded, Situation, best_added, closed_between, effects, won_and_lost
from lifecircle.scenarios.worth import unit_of

__all__ = [
    "FARTHER",
    "NOBODY_ASKED",
    "OPENED",
    "TODAY",
    "BestAdded",
    "Comparison",
    "Outcome",
    "Plan",
    "Report",
    "Sites",
    "Situation",
    "Spent",
    "Stage",
    "Standing",
    "as_good",
    "best_added",
    "by_hand_in_words",
    "check_scenarios",
    "closed_between",
    "compare",
    "each_answered",
    "effects",
    "evaluate",
    "find_scenario",
    "is_changed",
    "money_of",
    "possible_sites",
    "refuse_incomparable",
    "refuse_senseless",
    "refuse_unknown",
    "served_in_words",
    "side_by_side",
    "site",
    "site_or_evaluate",
    "stages_of",
    "unit_of",
    "unserved_areas",
    "why",
    "why_nothing_opens",
    "won_and_lost",
]
