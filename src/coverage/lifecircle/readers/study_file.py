"""study.toml: what a study is called, which files it reads, how people walk, what is asked."""

from __future__ import annotations

import errno
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecircle.errors import Breach, SourceError, StudyError
from lifecircle.hours import problem_of_time
from lifecircle.model import (
    DIRECTIONS,
    FASTEST_MPS,
    KNOWN_CLASSES,
    MAX_ACCESS_M,
    Circle,
    Gate,
    Note,
    Settings,
    SpeedClass,
    Walking,
    WayRule,
    folder_name,
)
from lifecircle.readers.dispatching import read_dispatch
from lifecircle.readers.findings import stated_findings
from lifecircle.readers.hours_in_words import hours_in_osm, problem_of_words, words_read
from lifecircle.readers.inputs import Input, read_inputs, read_where
from lifecircle.readers.keys import STUDY_FILE, Keys
from lifecircle.readers.limits import Limits, read_limits
from lifecircle.readers.scenarios import read_scenario
from lifecircle.readers.slips import slips_of
from lifecircle.said import Said, sentence
from lifecircle.schema import RESERVED_GROUPS

LANGUAGES = ("zh", "en")
WALKS = ("yes", "no", "private")

_TABLES = ("study", "inputs", "limits", "overrides", "walking", "service", "circle", "scenario", "dispatch")
_LANGUAGE = re.compile(rf"^\s*language\s*[=＝]\s*[\"'“”‘’]({'|'.join(LANGUAGES)})[\"'“”‘’]", re.MULTILINE)
_MOST_BYTES = 2**21
_MOST_DOTS = 500


@dataclass(frozen=True)
class StudyFile:
    """A study file as read; what is wrong with it is in ``breaches``, and there the defaults stand in.

    ``datum`` is that of every input which states none of its own, empty where none is stated.
    """

    path: Path
    content: bytes
    settings: Settings
    inputs: Mapping[str, Input]
    """By `Input.name`."""
    datum: str
    findings: tuple[Mapping[str, str], ...]
    """Findings from the field, in the columns of the layer of overrides."""
    limits: Limits
    breaches: tuple[Breach, ...]


def read_study_file(path: Path) -> StudyFile:
    """Read a study file, or the ``study.toml`` in a folder.

    Raises
    ------
    SourceError
        When there is no such file or it cannot be read.
    StudyError
        When it is not TOML; the message says in which line.
    """
    if path.is_dir():
        path = path / STUDY_FILE
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise OSError(errno.EINVAL, "it is no file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
        document = _parsed(text)
    except FileNotFoundError:
        breach = Breach(STUDY_FILE, "missing-file", Said("{} is not there; `lifecircle new` makes one", path), count=1)
        raise SourceError(Said("{}: no study", path), breaches=[breach], language=language_of(path)) from None
    except OSError as error:
        breach = Breach(STUDY_FILE, "unreadable", Said("{} cannot be read: {}", path, error.strerror), count=1)
        raise SourceError(Said("{}: no study", path), breaches=[breach], language=language_of(path)) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        breach = Breach(STUDY_FILE, "not-toml", Said("line {} is not UTF-8; save the file as UTF-8", line), count=1)
        raise StudyError(Said("{}: not a study file", path), breaches=[breach], language=language_of(path)) from None
    except ValueError as error:
        slips = [Breach(STUDY_FILE, "not-toml", slip, count=1) for slip in slips_of(text, error)]
        raise StudyError(Said("{}: not a study file", path), breaches=slips, language=language_of(path)) from None

    breaches: list[Breach] = []
    top = Keys("the file:", document, _TABLES, breaches)
    settings = _settings(top, breaches, default_name=path.resolve().parent.name)
    inputs, datum = read_inputs(top.get("inputs") or {}, breaches)
    findings = stated_findings(top.get("overrides") or {}, breaches)
    limits = read_limits(top.get("limits") or {}, breaches)
    return StudyFile(path, content, settings, inputs, datum, findings, limits, tuple(breaches))


def language_of(path: str | Path) -> str:
    """Return the language in which a study is told, though its file may not be TOML; "en" where there is no file."""
    file_path = Path(path) / STUDY_FILE if Path(path).is_dir() else Path(path)
    if not file_path.is_file():  # nobody waits for a pipe or a device
        return "en"
    try:
        with file_path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return "en"
    stated = _LANGUAGE.search(text)
    return stated[1] if stated else LANGUAGES[0]


def _parsed(text: str) -> dict[str, Any]:
    """Return a document of TOML that a person may have written: the parser's work grows with the square of a name."""
    if len(text) > _MOST_BYTES or any(line.count(".") > _MOST_DOTS for line in text.splitlines() if line[:1] != "#"):
        raise ValueError("it is longer, or has longer names, than anyone writes")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it has values within values, deeper than anyone writes") from None


def _settings(top: Keys, breaches: list[Breach], *, default_name: str) -> Settings:
    """Read everything but the inputs."""
    study = Keys("[study]", top.get("study") or {}, ("name", "language", "synthetic", "date", "notes"), breaches)
    notes = []
    for row in study.rows("notes"):
        note = Keys("[study] notes:", row, ("en", "zh"), breaches)
        notes.append(Note(en=note.text("en", required=True), zh=note.text("zh", required=True)))
    walking = _walking(top.get("walking") or {}, breaches)
    service = Keys("[service]", top.get("service") or {}, ("eligible",), breaches)
    circles = tuple(_circle(row, breaches) for row in top.rows("circle")) or Settings("").circles
    scenarios = tuple(read_scenario(row, [c.name for c in circles], breaches) for row in top.rows("scenario"))
    _unique("[[circle]]", (c.name for c in circles), breaches)
    _unique("[[scenario]]", (folder_name(s.name) for s in scenarios), breaches)
    _check_columns(walking, circles, breaches)
    return Settings(
        name=study.name("name", default_name),
        language=study.choice("language", "zh", LANGUAGES),
        synthetic=study.flag("synthetic"),
        date=study.date("date"),
        notes=tuple(notes),
        walking=walking,
        eligible=service.text("eligible", "any"),
        circles=circles,
        scenarios=scenarios,
        dispatch=read_dispatch(top.get("dispatch") or {}, breaches),
    )


def _walking(table: object, breaches: list[Breach]) -> Walking:
    known = ("classes", "max_access_m", "closed", "gates", "rules", "at", "direction")
    walking = Keys("[walking]", table, known, breaches)
    classes = tuple(_speed_class(row, breaches) for row in walking.rows("classes"))
    gates = tuple(_gate(row, breaches) for row in walking.rows("gates", of="ids, or of tables with id and hours"))
    _unique("[walking] classes:", (c.name for c in classes), breaches)
    if twice := [i for i, n in Counter(g.id for g in gates if g.id).items() if n > 1]:
        message = "[walking] gates: stated several times; state each once, with all its hours"
        breaches.append(Breach(STUDY_FILE, "duplicate-id", message, tuple(twice), len(twice)))
    usual = Walking()
    return Walking(
        classes=classes or usual.classes,
        max_access_m=walking.number("max_access_m", MAX_ACCESS_M) or MAX_ACCESS_M,
        closed=walking.texts("closed"),
        gates=gates,
        rules=tuple(_way_rule(row, breaches) for row in walking.rows("rules")),
        at=_time(walking, usual.at),
        direction=walking.choice("direction", usual.direction, DIRECTIONS),
    )


def _speed_class(row: object, breaches: list[Breach]) -> SpeedClass:
    keys = Keys("[walking] classes:", row, ("name", "speed_mps", "steps"), breaches)
    name, speed_mps = keys.name("name", required=True), keys.number("speed_mps")
    if name in KNOWN_CLASSES and "speed_mps" not in keys:
        speed_mps = KNOWN_CLASSES[name].speed_mps
    elif "speed_mps" not in keys:
        known = ", ".join(KNOWN_CLASSES)
        keys.breach(
            "missing-key",
            Said("{} has no speed_mps, in metres per second; known are {}", name or Said("a class"), known),
        )
    if speed_mps is not None and speed_mps > FASTEST_MPS:
        message = Said("{}: nobody walks at {:g} metres per second; is it in kilometres per hour?", name, speed_mps)
        keys.breach("fast-walkers", message, severity="warning")
    return SpeedClass(name, speed_mps or 1.0, steps=keys.flag("steps", default=True))


def _gate(row: object, breaches: list[Breach]) -> Gate:
    """Read a gate: the id of a way or node, or a table of that and its hours."""
    table = row if isinstance(row, Mapping) else {"id": row}
    keys = Keys("[walking] gates:", table, ("id", "hours"), breaches)
    gate, said = keys.text("id", required=True), keys.text("hours")
    hours = hours_in_osm(said)
    if said and not hours:
        keys.breach("bad-hours", Said("{}: {}", gate, problem_of_words(said)))
    elif hours != said:
        keys.breach("hours-in-words", Said("{}: {}", gate, words_read(said, hours)), severity="repair")
    return Gate(gate, hours)


def _way_rule(row: object, breaches: list[Breach]) -> WayRule:
    keys = Keys("[[walking.rules]]", row, ("walk", "ids", "where"), breaches)
    if "ids" not in keys and "where" not in keys:
        keys.breach("missing-key", "ids or where is missing; say which ways the rule is for")
    return WayRule(keys.choice("walk", "", WALKS), keys.texts("ids"), read_where(keys))


def _time(keys: Keys, default: str) -> str:
    """Read ``at``, a time of the week."""
    at = keys.text("at", default)
    if at and (problem := problem_of_time(at)):
        keys.breach("bad-time", Said("at: {}", sentence(problem)))
        return default
    return at


def _circle(row: object, breaches: list[Breach]) -> Circle:
    keys = Keys("[[circle]]", row, ("name", "minutes", "tiers", "items", "at"), breaches)
    if "minutes" not in keys:
        keys.breach("missing-key", "minutes is missing")
    minutes = keys.number("minutes") or 1.0
    name = keys.name("name", f"{minutes:g}")
    return Circle(name, minutes, keys.texts("tiers"), keys.texts("items"), _time(keys, ""))


def _check_columns(walking: Walking, circles: tuple[Circle, ...], breaches: list[Breach]) -> None:
    """Check that classes and circles make columns of their own: ``residents_<class>``, ``within_<circle>_<class>``."""
    taken = [c.name for c in walking.classes if c.name in RESERVED_GROUPS]
    if taken:
        message: str = Said(
            "[walking] classes: {} have a meaning in the tables; name the class otherwise", ", ".join(RESERVED_GROUPS)
        )
        breaches.append(Breach(STUDY_FILE, "reserved-name", message, tuple(taken), len(taken)))
    suffixes = tuple(f"_{c.name}" for c in walking.classes[1:])
    twofold = [c.name for c in circles if suffixes and c.name.endswith(suffixes)]
    if twofold:
        message = (
            "[[circle]] a name that ends in _ and a class reads as another circle of that class; name it otherwise"
        )
        breaches.append(Breach(STUDY_FILE, "reserved-name", message, tuple(twofold), len(twofold)))


def _unique(heading: str, names: Iterable[str], breaches: list[Breach]) -> None:
    """Names must differ by more than case: folders are named after them, and some disks know no case."""
    twice = [name for name, n in Counter(n.casefold() for n in names if n).items() if n > 1]
    if twice:
        message = Said("{} several bear the same name; give each its own", heading)
        breaches.append(Breach(STUDY_FILE, "duplicate-name", message, tuple(twice), len(twice)))
