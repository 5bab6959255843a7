"""The commands: parse, call, print. Every heavy import waits until a command needs it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle import __version__
from lifecircle.errors import InfeasibleError, LifecircleError, UnknownNameError

if TYPE_CHECKING:
    from lifecircle.circles import Coverage
    from lifecircle.model import Study
    from lifecircle.scenarios import Sites

EXIT_CODES: dict[type[LifecircleError], int] = {UnknownNameError: 2, LifecircleError: 1}
"""Exit code of each error: the first class in this table that it is one of. 1 is bad data, 2 bad usage."""

app = typer.Typer(
    help="Plan community service stations: who reaches one on foot, where new ones should stand, who takes a request.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study.toml, or the folder that holds it.")]
OutPath = Annotated[
    Path | None, typer.Option("--out", help="Folder for the results; by default named after the study, here.")
]


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def demo(out: OutPath = None) -> None:
    """Do the whole job on the built-in study of Monaco."""
    from lifecircle import terminal
    from lifecircle.model import folder_name
    from lifecircle.samples import monaco

    folder = monaco()
    study = _open(folder)
    out = out or _default_out(study)
    today, sites = _cover(study, out)
    for scenario in study.settings.scenarios:
        _site(study, scenario.name, today, sites, out)
    _assign(study, folder / "requests.csv", today, out)
    pages = [out / "today", *(out / "scenarios" / folder_name(s.name) for s in study.settings.scenarios)]
    terminal.show_maps([page / "map.html" for page in pages])


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    example: Annotated[
        str | None, typer.Option("--example", help="Make a city up: fushun, puyang, qiandongnan, nanming or grid.")
    ] = None,
    size: Annotated[
        float | None, typer.Option("--size", min=0.02, max=10.0, help="How many times the programme's own size. [1.0]")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed makes the same city, byte for byte. [7]")
    ] = None,
    side: Annotated[
        int | None, typer.Option("--side", min=4, max=3000, help="Crossings on a side of the example grid. [100]")
    ] = None,
    messy: Annotated[
        bool, typer.Option("--messy", help="Write it the way offices keep it, with a sheet of what is wrong.")
    ] = False,
) -> None:
    """Write a commented study folder to start from, or a made-up city."""
    from lifecircle import terminal
    from lifecircle.samples import start_study

    if example is None:
        given = {"--size": size, "--seed": seed, "--side": side, "--messy": messy or None}
        _refuse(given, "has a meaning for a made-up city only; name one with --example")
        for path in start_study(folder):
            terminal.show_written(path)
        return
    from lifecircle.synthetic.examples import GRID, write_example

    if example == GRID:
        _refuse({"--size": size, "--messy": messy or None}, "has no meaning for the example grid; take it out")
    else:
        _refuse({"--side": side}, "has a meaning for the example grid only; take it out")
    write_example(
        folder,
        example,
        size=1.0 if size is None else size,
        side=100 if side is None else side,
        seed=7 if seed is None else seed,
        messy=messy,
        step=terminal.step,
    )
    terminal.show_written(folder)
    typer.echo(f"next: lifecircle check {folder}")


@app.command()
def check(study: StudyPath, out: OutPath = None) -> None:
    """Read and check all inputs and list every breach."""
    from lifecircle import terminal
    from lifecircle.demand import place_residents
    from lifecircle.ground import check_ground, says_synthetic
    from lifecircle.reports import write_check
    from lifecircle.study import check_study

    with terminal.step("Checking"):
        found, findings = check_study(study)
        if found is not None:
            findings = (*findings, *check_ground(found), *place_residents(found).findings)
    synthetic = says_synthetic(study, findings)
    terminal.show_mark(synthetic)
    terminal.show_findings(findings)
    name = found.settings.name if found is not None else study.resolve().name
    folder = out or (_default_out(found) if found is not None else Path("check-results"))
    crs = found.crs.name if found is not None else None
    if crs:
        terminal.show_crs(crs)
    terminal.show_written(write_check(folder / "check", name, findings, synthetic=synthetic, crs=crs))
    if any(f.severity == "error" for f in findings):
        raise typer.Exit(1)


@app.command()
def cover(study: StudyPath, out: OutPath = None) -> None:
    """Find who is in which circle today."""
    opened = _open(study)
    _cover(opened, out or _default_out(opened))


@app.command()
def site(
    study: StudyPath,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="One scenario of the study; by default all of them.")
    ] = None,
    time_limit_s: Annotated[
        float, typer.Option("--time-limit", min=0.0, help="Seconds of search a scenario; the gap says what is open.")
    ] = 300.0,
    out: OutPath = None,
) -> None:
    """Propose sites."""
    from lifecircle.scenarios import find_scenario

    opened = _open(study)
    asked = opened.settings.scenarios if scenario is None else (find_scenario(opened, scenario),)
    if not asked:
        raise UnknownNameError(f"{opened.path}: the study has no [[scenario]] to answer; add one")
    today, sites = _walk(opened)
    failed = []
    for question in asked:
        try:
            _site(opened, question.name, today, sites, out or _default_out(opened), time_limit_s=time_limit_s)
        except InfeasibleError as error:
            failed.append(error)
    if failed:
        raise InfeasibleError("\n".join(str(error) for error in failed))


@app.command()
def assign(
    study: StudyPath,
    requests: Annotated[Path, typer.Argument(metavar="REQUESTS", help="CSV: request_id, lon, lat, item.")],
    datum: Annotated[str, typer.Option("--datum", help="Of the requests: wgs84, cgcs2000, gcj02 or bd09.")] = "",
    crs: Annotated[str, typer.Option("--crs", help="Of the requests, where they are no degrees: EPSG:4549.")] = "",
    out: OutPath = None,
) -> None:
    """Send each request to the nearest station that may serve it."""
    opened = _open(study)
    _assign(opened, requests, None, out or _default_out(opened), datum=datum, crs=crs)


def main() -> None:
    """Run a command; a known error becomes one message and its exit code, never a traceback."""
    try:
        app()
    except LifecircleError as error:
        from lifecircle import terminal

        terminal.show_error(error)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))


# --------------------------------------------------------------------------- steps that commands share


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that are given."""
    for name, value in given.items():
        if value is not None:
            raise typer.BadParameter(why, param_hint=name)


def _open(path: Path) -> Study:
    from lifecircle import terminal
    from lifecircle.study import open_study

    with terminal.step("Reading the study"):
        study = open_study(path)
    terminal.show_findings(study.findings)
    return study


def _walk(study: Study) -> tuple[Coverage, Sites]:
    from lifecircle import terminal
    from lifecircle.circles import cover as cover_study
    from lifecircle.scenarios import possible_sites

    with terminal.step("Walking the streets"):
        today = cover_study(study)
        sites = possible_sites(today)
    terminal.show_findings(today.findings)
    return today, sites


def _cover(study: Study, out: Path) -> tuple[Coverage, Sites]:
    from lifecircle import terminal
    from lifecircle.reports import write_coverage
    from lifecircle.scenarios import unserved_areas

    today, sites = _walk(study)
    with terminal.step("Writing today's tables and map"):
        page = write_coverage(out / "today", today, unserved_areas(today, sites))
    terminal.show_coverage(today)
    terminal.show_written(page.parent, page)
    return today, sites


def _site(
    study: Study, name: str, today: Coverage, sites: Sites, out: Path, *, time_limit_s: float | None = None
) -> None:
    from lifecircle import terminal
    from lifecircle.model import folder_name
    from lifecircle.reports import write_plan
    from lifecircle.scenarios import site as answer
    from lifecircle.scenarios import unserved_areas

    with terminal.step(f"Siting {name}"):
        plan = answer(study, scenario=name, today=today, sites=sites, time_limit_s=time_limit_s)
    folder = out / "scenarios" / folder_name(name)
    with terminal.step("Writing its tables and map"):
        page = write_plan(folder, plan, today, unserved_areas(plan.coverage, sites))
    terminal.show_plan(plan)
    terminal.show_written(page.parent, page)


def _assign(study: Study, requests: Path, today: Coverage | None, out: Path, *, datum: str = "", crs: str = "") -> None:
    from lifecircle import terminal
    from lifecircle.dispatch import assign as assign_requests
    from lifecircle.readers.requests import read_requests
    from lifecircle.reports import write_assigned

    with terminal.step("Assigning requests"):
        asked = read_requests(requests, datum=datum, crs=crs)
        assigned = assign_requests(study, asked, ground=today.ground if today else None)
        path = write_assigned(out / "assigned", assigned, crs=study.crs.name)
    terminal.show_assigned(assigned)
    terminal.show_written(path)


def _default_out(study: Study) -> Path:
    from lifecircle.model import folder_name

    return Path(folder_name(study.settings.name))
