"""The commands: parse, call, print. Every heavy import waits until a command needs it."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lifecircle import __version__, steps
from lifecircle.errors import (
    DegradedWarning,
    InfeasibleError,
    LifecircleError,
    OutputError,
    UnfinishedError,
    UnknownNameError,
)
from lifecircle.fetch import BUFFER_M, LEVELS, Servers
from lifecircle.outcomes import outcome_of
from lifecircle.said import Said, in_language, joined

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
RequestsDatum = Annotated[str, typer.Option("--datum", help="Of the requests: wgs84, cgcs2000, gcj02 or bd09.")]
RequestsCrs = Annotated[str, typer.Option("--crs", help="Of the requests, where they are no degrees: EPSG:4549.")]
Strict = Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")]
Publish = Annotated[
    bool, typer.Option("--publish", help="Round residents and leave small figures out, for results that others see.")
]

TimeLimit = Annotated[
    float, typer.Option("--time-limit", min=0.0, help="Seconds of search a scenario; the gap says what is open.")
]


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def demo(publish: Publish = False, out: OutPath = None) -> None:
    """Do the whole job on the built-in study of Monaco."""
    from lifecircle import terminal
    from lifecircle.model import folder_name
    from lifecircle.samples import monaco

    folder = monaco()
    study = steps.read(folder)
    out = steps.results_folder(study, out, publish=publish)
    today, sites = steps.cover(study, out, publish=publish)
    for scenario in study.settings.scenarios:
        steps.answer(scenario.name, today, sites, out)
    if not publish:  # where single requests go is nothing to publish
        steps.assign(study, folder / "requests.csv", today.ground, out)
    pages = [out / "today", *(out / "scenarios" / folder_name(s.name) for s in study.settings.scenarios)]
    pages += [] if publish else [out / "assigned"]
    terminal.show_maps([page / "map.html" for page in pages], language=study.settings.language)


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
def fetch(
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="District, city, country; with --bbox what to call the study.")
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder to make; by default named after the place, here.")
    ] = None,
    bbox: Annotated[
        str | None, typer.Option("--bbox", help="West,south,east,north in degrees, instead of looking the place up.")
    ] = None,
    which: Annotated[
        int | None, typer.Option("--which", min=1, help="Which one, where several places bear the name.")
    ] = None,
    buffer_m: Annotated[
        float, typer.Option("--buffer-m", min=0.0, help="Metres beyond the place to fetch too.")
    ] = BUFFER_M,
    level: Annotated[
        list[int], typer.Option("--level", min=3, max=12, help="An admin_level that areas may have; repeat it.")
    ] = list(LEVELS),  # noqa: B006 - typer takes a copy
    nominatim: Annotated[str, typer.Option("--nominatim", help="Server that looks places up.")] = Servers.nominatim,
    overpass: Annotated[str, typer.Option("--overpass", help="Server that hands the map out.")] = Servers.overpass,
    timeout_s: Annotated[
        int, typer.Option("--timeout", min=1, help="Seconds to wait for an answer.")
    ] = Servers.timeout_s,
) -> None:
    """Fetch a place out of OpenStreetMap and make a study of it; needs a network."""
    from lifecircle import terminal
    from lifecircle.fetch.make import fetch_study
    from lifecircle.fetch.place import outline_of
    from lifecircle.fetch.write import language_of
    from lifecircle.model import folder_name

    try:
        outline = None if bbox is None else outline_of(bbox)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--bbox") from error
    folder, language = folder or Path(folder_name(place)), language_of(place)
    try:
        fetched = fetch_study(
            folder,
            place,
            outline=outline,
            which=which,
            buffer_m=buffer_m,
            levels=level,
            servers=Servers(nominatim, overpass, timeout_s),
            step=partial(terminal.step, language=language),
        )
    except LifecircleError as error:
        error.language = language
        raise
    for line in fetched.told:
        typer.echo(in_language(line, language))
    terminal.show_written(folder, language=language)
    told = Said("fill in {}, then: lifecircle check {}", joined(map(str, fetched.missing), "{} and {}"), folder)
    terminal.show_next(told, language=language)


@app.command()
def check(
    study: StudyPath,
    requests: Annotated[
        Path | None, typer.Option("--requests", help="A file of requests to check with it, as assign takes it.")
    ] = None,
    datum: RequestsDatum = "",
    crs: RequestsCrs = "",
    strict: Strict = False,
    out: OutPath = None,
) -> None:
    """Read and check all inputs and list every breach."""
    from lifecircle import terminal
    from lifecircle.demand import place_residents
    from lifecircle.dispatch.roster import check_tiers
    from lifecircle.errors import worst_first
    from lifecircle.ground import check_ground, says_synthetic
    from lifecircle.readers.study_file import language_of
    from lifecircle.reports import write_check
    from lifecircle.rules import after_shifts
    from lifecircle.scenarios import check_scenarios
    from lifecircle.study import examine

    language = language_of(study)
    with terminal.step("Checking", language=language):
        checked = examine(study)
        found = [*checked.findings]
        if checked.study is not None:
            found += [*check_ground(checked.study), *place_residents(checked.study).findings]
            found += check_scenarios(checked.study)
            found += check_tiers(checked.study.settings.dispatch, checked.study.stations)
        if requests is not None:
            found += steps.requests_of(requests, checked.study, datum=datum, crs=crs)[1]
            checked = replace(checked, files={**checked.files, "requests": requests.name})
    findings = worst_first(after_shifts(found))
    synthetic = says_synthetic(study, findings)
    terminal.show_mark(synthetic)
    terminal.show_findings(findings, language=language)
    if checked.study is not None:
        terminal.show_crs(checked.study.crs.name, language=language)
    folder = out or steps.named_after(checked.name)
    page = write_check(folder / "check", checked, findings, synthetic=synthetic)
    terminal.show_written(page, language=language)
    terminal.show_verdict(findings, strict=strict, language=language)
    if any(f.severity == "error" or (strict and f.severity == "warning") for f in findings):
        raise typer.Exit(1)
    terminal.show_next(f"lifecircle cover {shlex.quote(str(study))}", language=language)


@app.command()
def cover(study: StudyPath, strict: Strict = False, publish: Publish = False, out: OutPath = None) -> None:
    """Find who is in which circle today."""
    opened = steps.read(study, strict=strict)
    steps.cover(opened, steps.results_folder(opened, out, publish=publish), strict=strict, publish=publish)


@app.command()
def site(
    study: StudyPath,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="One scenario of the study; by default all of them.")
    ] = None,
    time_limit_s: TimeLimit = 300.0,
    why: Annotated[
        list[str] | None,
        typer.Option("--why", help="Tell why a candidate is chosen or not, or what a station holds; repeat it."),
    ] = None,
    strict: Strict = False,
    publish: Publish = False,
    out: OutPath = None,
) -> None:
    """Propose sites."""
    from lifecircle import terminal
    from lifecircle.scenarios import find_scenario, refuse_senseless, refuse_unknown

    if why and publish:
        raise typer.BadParameter("tells small figures, which are not for publication", param_hint="--why")
    opened = steps.read(study, strict=strict)
    asked = opened.settings.scenarios if scenario is None else (find_scenario(opened, scenario),)
    if not asked:
        message = Said("{}: the study has no [[scenario]] to answer; add one", opened.path)
        raise UnknownNameError(message, language=opened.settings.language)
    refuse_senseless(opened, asked)
    for question in asked:
        refuse_unknown(opened, question, why or ())
    today, sites = steps.walk(opened, strict=strict, publish=publish)
    out, failed = steps.results_folder(opened, out, publish=publish), []
    for question in asked:
        try:
            steps.answer(question.name, today, sites, out, time_limit_s=time_limit_s, why=why or ())
        except (InfeasibleError, UnfinishedError) as error:
            failed.append(error)
    for refused in failed[:-1]:
        terminal.show_error(refused)
    if failed:
        raise failed[-1]


@app.command()
def compare(
    study: StudyPath,
    baseline: Annotated[str, typer.Option("--baseline", help="Scenario that all are measured against.")] = "today",
    time_limit_s: TimeLimit = 300.0,
    strict: Strict = False,
    publish: Publish = False,
    out: OutPath = None,
) -> None:
    """Answer all scenarios and lay them side by side, also for those who walk slower or faster."""
    from lifecircle.scenarios import refuse_incomparable

    opened = steps.read(study, strict=strict)
    refuse_incomparable(opened, baseline)
    today, sites = steps.walk(opened, strict=strict, publish=publish)
    out = steps.results_folder(opened, out, publish=publish)
    steps.compare(today, sites, out, baseline=baseline, time_limit_s=time_limit_s)


@app.command("what-if")
def what_if(
    study: StudyPath,
    add: Annotated[list[str] | None, typer.Option("--add", help="A candidate that opens; repeat it.")] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", help="A station that closes; repeat it.")] = None,
    move: Annotated[
        list[str] | None, typer.Option("--move", help="A station and the candidate it moves to: A=B; repeat it.")
    ] = None,
    strict: Strict = False,
) -> None:
    """Find who wins and who loses by opening, closing and moving stations; writes nothing."""
    moves = dict(pair.partition("=")[::2] for pair in move or [])
    if not all(moves.values()):
        raise typer.BadParameter("write the station and the candidate it moves to: A=B", param_hint="--move")
    if not (add or drop or moves):
        raise typer.BadParameter("name a change", param_hint="--add, --drop or --move")
    opened = steps.read(study, strict=strict)
    today, sites = steps.walk(opened, strict=strict)
    steps.what_if(today, sites, add=add or (), drop=drop or (), move=moves)


@app.command()
def assign(
    study: StudyPath,
    requests: Annotated[
        Path, typer.Argument(metavar="REQUESTS", help="CSV: request_id, lon, lat, item, at, urgency, priority.")
    ],
    datum: RequestsDatum = "",
    crs: RequestsCrs = "",
    optimal: Annotated[
        bool, typer.Option("--optimal", help="Walk the least in sum where stations have a capacity, not each in turn.")
    ] = False,
    strict: Strict = False,
    out: OutPath = None,
) -> None:
    """Send each request to the nearest station that may serve it."""
    from lifecircle import terminal
    from lifecircle.ground import lay_ground

    opened = steps.read(study, strict=strict)
    with terminal.step("Laying the streets", language=opened.settings.language):
        ground = lay_ground(opened)
    steps.tell(opened, ground.findings, strict=strict)
    out = out or steps.named_after(opened.settings.name)
    steps.assign(opened, requests, ground, out, datum=datum, crs=crs, strict=strict, optimal=optimal)


@app.command()
def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; any but this machine's needs --keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any that is free.")] = 8000,
    keys: Annotated[Path | None, typer.Option("--keys", help="A file of [[key]] tables: who may ask what.")] = None,
    strict: Strict = False,
) -> None:
    """Answer over HTTP: the nearest stations, batches of requests, circles, and the map."""
    from lifecircle import terminal
    from lifecircle.ground import lay_ground

    try:
        from lifecircle.api import Desk, Desks, Guard, is_loopback, listen, read_keys, run
    except ModuleNotFoundError as error:
        message = Said("{} is not installed; serving needs: pip install 'lifecircle[serve]'", error.name)
        raise OutputError(message) from error
    guard = Guard(read_keys(keys) if keys else ())
    if not guard.keys and not is_loopback(host):
        raise typer.BadParameter("other machines are answered with --keys alone", param_hint="--host")
    listening = listen(host, port)
    opened = steps.read(study, strict=strict)
    language = opened.settings.language
    with terminal.step("Laying the streets", language=language):
        ground = lay_ground(opened)
    steps.tell(opened, ground.findings, strict=strict)
    with terminal.step("Searching from all stations", language=language):
        desks = Desks(study, Desk.of(opened, ground), strict=strict)
    at, number = listening.getsockname()[:2]
    run(desks, listening, guard=guard, ready=lambda: terminal.show_address(at, number, language=language))


@app.command("new-key")
def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    role: Annotated[str, typer.Option("--role", help="ask, assign, plan or admin.")] = "ask",
) -> None:
    """Make a key for `serve`: the key, which is shown once, and the lines for the file of keys."""
    from lifecircle.api.guard import make_key

    key, lines = make_key(name, role)
    typer.echo(f"{key}\n\n{lines}")


def main() -> None:
    """Run a command; a known error becomes one message and its exit code, never a traceback."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DegradedWarning)  # commands show findings themselves
            app()
    except LifecircleError as error:
        from lifecircle import terminal

        terminal.show_error(error)
        sys.exit(outcome_of(error).exit_code)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that are given."""
    for name, value in given.items():
        if value is not None:
            raise typer.BadParameter(why, param_hint=name)
