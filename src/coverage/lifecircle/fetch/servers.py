"""The questions to OpenStreetMap's servers, put through OSMnx; each answer is taken whole, as it came.

OSMnx knows how a question is put and when a server is ready for it. What it makes of an answer is a graph or a table
that holds some of the tags; so the answer is taken before OSMnx works on it, and every tag survives.
"""

from __future__ import annotations

import json
import math
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import osmnx
import requests
import shapely

from lifecircle import __version__
from lifecircle.errors import FetchError, printable
from lifecircle.fetch import Servers
from lifecircle.said import Said, sentence

MOST_BYTES = 2**29
"""A longer answer is given up."""

LONGEST_S = 1800.0
"""An answer that is still coming after so many seconds is given up."""

LONGEST_REMARK = 200

WAYS = '[~"^(highway|barrier|railway|waterway)$"~"."]'
"""Streets and what bars the way, as a filter of Overpass. Ways alone: the relation of a river is the whole river."""

FEATURES: Mapping[str, bool | str | list[str]] = {
    **dict.fromkeys(("building", "entrance", "amenity", "shop", "office"), True),
    "natural": ["water", "coastline"],
}
"""What is asked for besides: tags, of any value or of these."""

_CHUNK = 2**20
_AGENT = f"lifecircle/{__version__} (OSMnx {osmnx.__version__})"
_SLOTS = re.compile(
    r"^Rate limit: [1-9]\d*\n"
    r"(\d+ slots? available|Slot available after: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, |Currently running)",
    re.MULTILINE,
)
"""How a server answers that gives each asker a few turns at a time. Of any other answer OSMnx makes a wait of a minute
before every question, or one without end."""

_ADVICE = {
    400: "it does not understand the question; is it the right server?",
    403: "it refuses to answer; ask whoever runs it, or name another",
    404: "nothing is there; is the address right?",
    429: "it has had too many questions from here; wait a quarter of an hour, or name another",
    502: "it is not at work now; try again later, or name another",
    503: "it is not at work now; try again later, or name another",
    504: "it is overloaded; try again later, ask for a smaller place, or name another",
}


PAUSES_S = (10.0, 30.0)
"""So long is waited before a server that is busy is asked again, unless it names a time itself."""

LONGEST_PAUSE_S = 300.0
"""Who says that it is busy for longer is not waited for."""

_BUSY = (429, 504)


class _Taken(Exception):  # noqa: N818 - it is no error: it carries an answer past OSMnx
    def __init__(self, content: bytes) -> None:
        self.content = content


class _BusyError(FetchError):
    """A server has no time now; ``after_s`` is when it may have, NaN where it does not say."""

    def __init__(self, message: str, after_s: float) -> None:
        self.after_s = after_s
        super().__init__(message)


def look_up(place: str, servers: Servers) -> list[Any]:
    """Return what a server of Nominatim's kind knows by the name of a place, most important first.

    Raises
    ------
    FetchError
        When the server cannot be reached, is busy, or answers with something else.
    """
    found = _answer(servers.nominatim, "--nominatim", servers, lambda: osmnx.geocode_to_gdf(place))
    if not isinstance(found, list):
        raise _unusable(servers.nominatim, "--nominatim")
    return found


def download(box: shapely.Polygon, levels: Sequence[int], servers: Servers) -> Iterator[Mapping[str, Any]]:
    """Yield the answers that hold all objects in a box, as a server of Overpass's kind gives them.

    Parameters
    ----------
    box
        Degrees of WGS 84.
    levels
        Values of ``admin_level`` whose boundaries are asked for.

    Raises
    ------
    FetchError
        When the server cannot be reached, is busy, gives up, or answers with something else.
    """
    in_turns = _answers_in_turns(servers)
    tags = {**FEATURES, "admin_level": list(map(str, levels))}
    questions: tuple[Callable[[], object], ...] = (
        lambda: osmnx.graph_from_polygon(box, custom_filter=WAYS),
        lambda: osmnx.features_from_polygon(box, tags),
    )
    for question in questions:
        answer = _answer(servers.overpass, "--overpass", servers, question, in_turns=in_turns)
        if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
            raise _unusable(servers.overpass, "--overpass")
        if "remark" in answer:
            remark = printable(answer["remark"])[:LONGEST_REMARK]
            message = Said(
                "{} gave up ({}); ask for a smaller place, or try again later", _host(servers.overpass), remark
            )
            raise FetchError(message)
        yield answer


def _answer(
    url: str, option: str, servers: Servers, question: Callable[[], object], *, in_turns: bool = False
) -> object:
    """Put one question through OSMnx, a few times where the server is busy, and return the JSON of the answer."""
    content = b""
    for pause_s in (*PAUSES_S, None):
        try:
            with _told(url, option), _set(servers, in_turns=in_turns, take=_take(url, option)):
                question()
        except _Taken as taken:
            content = taken.content
            break
        except _BusyError as busy:
            if pause_s is None or busy.after_s > LONGEST_PAUSE_S:
                raise
            time.sleep(pause_s if math.isnan(busy.after_s) else busy.after_s)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unusable(url, option) from error


def _answers_in_turns(servers: Servers) -> bool:
    """Return whether the server says when it is this asker's turn, which OSMnx then waits for."""
    url = f"{servers.overpass.rstrip('/')}/status"
    with (
        _told(servers.overpass, "--overpass"),
        requests.get(url, headers={"User-Agent": _AGENT}, timeout=servers.timeout_s, stream=True) as response,
    ):
        said = _content(response, servers.overpass) if response.ok else b""
    return bool(_SLOTS.search(said.decode(errors="replace")))


def _take(url: str, option: str) -> Callable[..., None]:
    """Return a hook that takes an answer before anything is made of it, and refuses one that is none."""

    def take(response: requests.Response, *_: object, **__: object) -> None:
        if response.is_redirect or urlsplit(response.url).path.endswith("/status"):
            return
        if not response.ok:
            advice = _ADVICE.get(response.status_code, "try again later, or name another")
            code = response.status_code
            told = Said("{} answers {}: {}", _host(url), code, sentence(advice))
            told = Said("{} with {}", told, option) if advice.endswith("another") else told
            raise _BusyError(told, _after_s(response)) if code in _BUSY else FetchError(told)
        with response:
            raise _Taken(_content(response, url))

    return take


def _after_s(response: requests.Response) -> float:
    """Return in how many seconds a server asks to be asked again; NaN where it says none, or a day of the calendar."""
    said = response.headers.get("Retry-After", "")
    return float(said) if re.fullmatch("[0-9]{1,6}", said) else math.nan


def _content(response: requests.Response, url: str) -> bytes:
    """Return an answer's bytes, as many as may be and for as long as may be."""
    until_s, size, chunks = time.monotonic() + LONGEST_S, 0, []
    for chunk in response.iter_content(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES or time.monotonic() > until_s:
            much = "{} sends more than {:g} MiB, or for more than {:g} minutes; ask for a smaller place"
            raise FetchError(Said(much, _host(url), MOST_BYTES / 2**20, LONGEST_S / 60))
    return b"".join(chunks)


@contextmanager
def _told(url: str, option: str) -> Iterator[None]:
    """Tell in plain words why a server could not be asked."""
    try:
        yield
    except requests.Timeout as error:
        late = "{} does not answer in time; try again later, raise --timeout, or name another with {}"
        raise FetchError(Said(late, _host(url), option)) from error
    except (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as e:
        no_address = "{!r} is no address of a server; write one as https://... in {}"
        raise FetchError(Said(no_address, printable(url), option)) from e
    except requests.RequestException as error:
        message = (
            "{} cannot be reached: is there a network, and may this machine use it? Without one, name an OpenStreetMap "
            "extract in a study that `lifecircle new` makes ({})"
        )
        raise FetchError(Said(message, _host(url), type(error).__name__)) from error


@contextmanager
def _set(servers: Servers, *, in_turns: bool, take: Callable[..., None]) -> Iterator[None]:
    """Set OSMnx for one question: nothing kept on disk, nobody else asked. Afterwards it is as the caller had set it.

    OSMnx also lays down for the whole process where a server's name leads; that is undone too.
    """
    ours = {
        "nominatim_url": servers.nominatim,
        "overpass_url": servers.overpass,
        "requests_timeout": servers.timeout_s,
        "requests_kwargs": {**osmnx.settings.requests_kwargs, "hooks": {"response": take}},
        "overpass_rate_limit": in_turns,
        "http_user_agent": _AGENT,
        "http_referer": _AGENT,
        "doh_url_template": None,
        "use_cache": False,
        "log_file": False,
        "log_console": False,
    }
    before = {name: getattr(osmnx.settings, name) for name in ours}
    resolve = socket.getaddrinfo
    try:
        for name, value in ours.items():
            setattr(osmnx.settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)
        socket.getaddrinfo = resolve


def _unusable(url: str, option: str) -> FetchError:
    message = "{} answers with something else than was asked for; is it the right server? Name another with {}"
    return FetchError(Said(message, _host(url), option))


def _host(url: str) -> str:
    return printable(urlsplit(url).netloc or url)
