"""A scenario answered: put into numbers, solved, and told in the study's own ids."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from lifecircle.asked import Scenario
from lifecircle.circles import Coverage, cover_today
from lifecircle.errors import InfeasibleError, UnfinishedError, UnknownNameError
from lifecircle.model import Study
from lifecircle.rules import warn_of
from lifecircle.said import Said, sentence
from lifecircle.scenarios.candidates import source_of, with_candidates_of
from lifecircle.scenarios.check import refuse_senseless
from lifecircle.scenarios.lacking import refuse_lacking
from lifecircle.scenarios.outcome import Outcome, outcome_of
from lifecircle.scenarios.plan import Plan, plan_of
from lifecircle.scenarios.posed import posed
from lifecircle.scenarios.reasons import asks_nothing
from lifecircle.scenarios.refusals import in_words
from lifecircle.scenarios.sites import Sites, possible_sites
from lifecircle.scenarios.stated import as_stated
from lifecircle.siting import NoPlanError, solve

Report = Callable[[float, float, float], None]
"""Is told the value and the bound of a search, and its seconds so far."""


def site(
    study: Study,
    *,
    scenario: str,
    today: Coverage | None = None,
    sites: Sites | None = None,
    time_limit_s: float | None = None,
    report: Report | None = None,
) -> Plan:
    """Answer one of the study's siting questions.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    scenario
        Name of a ``[[scenario]]`` of the study.
    today, sites
        What ``cover(study)`` and ``possible_sites(today)`` returned, so that they are not worked out again.
    time_limit_s
        Seconds for the search, also where it begins anew with longer walks; a plan cut short, by Ctrl-C too, has the
        status ``feasible`` and its proven gap.
    report
        Is told value, bound and seconds so far while the search goes on.

    Returns
    -------
    Plan
        Value, bound and gap are recomputed from the walks.

    Warns
    -----
    DegradedWarning
        Of each finding of today's coverage, in the class of its rule, where it is worked out here.

    Raises
    ------
    UnknownNameError
        When the study has no scenario of that name.
    StudyError
        When the scenario asks no question, or one that cannot be meant: nobody has walked before that.
    InfeasibleError
        When no plan can meet the question: which conditions stand in each other's way, which buildings nobody could
        reach, and what would have to give way; or when the scenario opens a place that nobody can walk to.
    UnfinishedError
        When the time is over before a first plan is found, and with it whether there is one.
    """
    asked = find_scenario(study, scenario)
    if not asked.question:
        raise asks_nothing(study, scenario)
    refuse_senseless(study, [asked])
    if today is None:
        today = cover_today(study)
        warn_of(today.findings)
    start, source = as_stated(today, asked), source_of(asked, study)
    if source != "study":
        start = with_candidates_of(start, asked)
    if sites is None or start is not today:
        sites = possible_sites(start)
    refused = InfeasibleError("no plan can meet the question")
    ends_s = None if time_limit_s is None else monotonic() + time_limit_s
    for put in posed(asked, start, sites):
        refuse_lacking(put, asked, start)
        try:
            solution = solve(
                put.question,
                put.walks,
                put.weights,
                fixed=put.fixed,
                time_limit_s=None if ends_s is None else max(0.0, ends_s - monotonic()),
                why=False,
                report=report,
            )
        except InfeasibleError as error:
            refused = error
        except UnfinishedError as error:
            message = Said("scenario '{}': the search was over before a first plan was found", scenario)
            raise UnfinishedError(message, language=study.settings.language) from error
        else:
            return plan_of(solution, put, asked, start, sites, today=today, source=source)
    # Only the longest walks say what stands in the way; the time for that is not taken from the search.
    why = refused.why() if isinstance(refused, NoPlanError) else refused
    raise in_words(why, put, asked, start, sites)


def evaluate(study: Study, *, scenario: str, today: Coverage | None = None) -> Outcome:
    """Lay out what one of the study's scenarios states by hand, and ask nothing.

    Parameters
    ----------
    study
        As ``open_study`` returns it.
    scenario
        Name of a ``[[scenario]]`` of the study. Of one that asks a question this is what the search starts from.
    today
        What ``cover(study)`` returned, so that it is not worked out again.

    Warns
    -----
    DegradedWarning
        Of each finding of today's coverage, in the class of its rule, where it is worked out here.

    Raises
    ------
    UnknownNameError
        When the study has no scenario of that name.
    StudyError
        When it names what is not there.
    InfeasibleError
        When it opens a place that nobody can walk to.
    """
    stated = find_scenario(study, scenario)
    refuse_senseless(study, [stated])
    if today is None:
        today = cover_today(study)
        warn_of(today.findings)
    after = as_stated(today, stated)
    return outcome_of(stated, today, after, possible_sites(after))


def site_or_evaluate(
    study: Study,
    *,
    scenario: str,
    today: Coverage,
    sites: Sites,
    time_limit_s: float | None = None,
    report: Report | None = None,
) -> Outcome:
    """Do what `site` does where a scenario asks a question, else what `evaluate` does; raises as they do."""
    if not find_scenario(study, scenario).question:
        return evaluate(study, scenario=scenario, today=today)
    return site(study, scenario=scenario, today=today, sites=sites, time_limit_s=time_limit_s, report=report)


def find_scenario(study: Study, name: str) -> Scenario:
    """Return the study's scenario of that name.

    Raises
    ------
    UnknownNameError
        When there is none; the message lists those there are.
    """
    for scenario in study.settings.scenarios:
        if scenario.name == name:
            return scenario
    known = ", ".join(s.name for s in study.settings.scenarios) or sentence("none")
    message = Said("the study has no scenario '{}'; it has: {}", name, known)
    raise UnknownNameError(message, language=study.settings.language)
