"""What a file is, judged by its name and by its first bytes, before any library opens it."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lifecircle.errors import Breach
from lifecircle.readers.archives import is_blown_up, problem_of_workbook
from lifecircle.readers.geopackage import problem_of_geopackage
from lifecircle.readers.inputs import Input
from lifecircle.readers.limits import MB, USUAL, Limits, OverLimitError, refused
from lifecircle.readers.slips import BACKSLASH
from lifecircle.said import Said, joined, sentence
from lifecircle.schema import ELEVATION

BREAKS_OFF = "it breaks off in the middle; download or export the file again"
_BLOWN_UP = "it unpacks to far more than a map would; download or export the file again"

_HEAD = 1024
_CHUNK = 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Format:
    """A kind of file: the ends of names it goes by, how its content begins, and what stands beside it."""

    name: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes]
    is_osm: bool = False
    is_raster: bool = False
    companions: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    """Those companions without which there is nothing to read."""
    problem: Callable[[Path, Limits], str] = lambda _, __: ""
    """What is wrong with the whole of a file, told before it is opened; empty for nothing."""


FORMATS = (
    Format("OSM PBF", (".pbf",), re.compile(rb"\x00\x00..\x0a\x09OSMHeader", re.DOTALL), is_osm=True),
    Format("OSM XML", (".osm", ".osm.xml"), re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<osm"), is_osm=True),
    Format("OSM XML, packed", (".osm.gz",), re.compile(rb"\x1f\x8b"), is_osm=True),
    Format("OSM XML, packed", (".osm.bz2",), re.compile(rb"BZh"), is_osm=True),
    Format(
        "GraphML",
        (".graphml",),
        re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<((\w+:)?graphml|!DOCTYPE)", re.DOTALL),
    ),
    Format(
        "GeoPackage",
        (".gpkg",),
        re.compile(rb"SQLite format 3\x00.{52}(GPKG|GP10|GP11)", re.DOTALL),
        problem=problem_of_geopackage,
    ),
    Format("GeoJSON", (".geojson", ".json"), re.compile(rb'\s*\{.{0,900}"feature', re.DOTALL | re.IGNORECASE)),
    Format(
        "Shapefile",
        (".shp",),
        re.compile(rb"\x00\x00\x27\x0a"),
        companions=(".dbf", ".shx", ".prj", ".cpg"),
        needed=(".dbf", ".shx"),
    ),
    Format("FlatGeobuf", (".fgb",), re.compile(rb"fgb\x03fgb[\x00-\x02].{3}\x00", re.DOTALL)),
    Format("Parquet", (".parquet", ".geoparquet"), re.compile(rb"PAR1")),
    Format("XLSX", (".xlsx",), re.compile(rb"PK\x03\x04"), problem=problem_of_workbook),
    Format("CSV", (".csv",), re.compile(rb"(?!PK\x03\x04)[^\x00<{]")),
    Format("GeoTIFF", (".tif", ".tiff"), re.compile(rb"II[*+]\x00|MM\x00[*+]"), is_raster=True),
)
"""All that is ever opened. A file is refused when its content is not what its name says."""

LOCK = "~$"
"""So begins the name of the file that Excel or WPS keeps beside a workbook which somebody has open."""

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"

WAYS_OUT = {
    **dict.fromkeys((".xls", ".et", ".ods", ".xlsm", ".xlsb"), "open it in Excel or WPS and save it as .xlsx"),
    **dict.fromkeys((".zip", ".rar", ".7z"), "unpack it, and name the file that is in it"),
    **dict.fromkeys((".txt", ".tsv"), "if it is a table with commas, name it .csv"),
}
"""What to do about files that offices send and nothing here reads."""

SOURCE_RULES = frozenset(
    {
        *("missing-file", "not-a-file", "not-a-local-file", "unknown-format", "wrong-content", "unreadable"),
        *("encoding", "over-limit"),
    }
)
"""Rules by which a file cannot be read at all."""


@dataclass(frozen=True)
class Located:
    """An input whose file is there and is what its name says, and how much of it is read."""

    input: Input
    path: Path
    format: Format
    limits: Limits = USUAL

    def companions(self) -> list[Path]:
        """Return what stands beside the file and belongs to it."""
        return [path for path in map(self.beside, self.format.companions) if path.exists()]

    def beside(self, suffix: str) -> Path:
        """Return the path of a companion, whose suffix is in capitals where there is one that way only."""
        small, capital = self.path.with_suffix(suffix), self.path.with_suffix(suffix.upper())
        return capital if capital.exists() and not small.exists() else small


def locate(input: Input, folder: Path, *, limits: Limits = USUAL) -> Located | Breach:  # noqa: A002 - the study's word
    """Find an input's file and tell its format.

    Addresses and virtual paths of the libraries below (``http://...``, ``/vsizip/...``) are refused, and whatever else
    is no plain file: a pipe would never end. A file may lie anywhere on the machine, and a link is what it leads to.
    """

    def refuse(rule: str, message: str) -> Breach:
        return Breach(input.layer, rule, message, (input.path,), 1)

    if "://" in input.path or "\x00" in input.path or re.match(r"[/\\]vsi", input.path, re.IGNORECASE):
        return refuse("not-a-local-file", "must be a file on this machine; download it and name the copy")
    if any(sign in input.path for sign in "\b\t\n\f\r"):  # what \\b, \\t ... of a path in quotation marks are read as
        return refuse("missing-file", BACKSLASH)
    path = folder / input.path
    try:
        if not path.exists():
            return refuse("missing-file", Said("there is no such file; paths start at {}/", folder.resolve().name))
        if not path.is_file():
            return refuse("not-a-file", "is not a file")
        with path.open("rb") as file:
            head = file.read(_HEAD).removeprefix(_BOM)
    except OSError as error:
        return refuse("unreadable", Said("cannot be read: {}", error.strerror))
    if path.name.startswith(LOCK):
        return refuse("wrong-content", "is what Excel keeps beside a workbook that is open; name the workbook itself")
    formats = [f for f in FORMATS if f.is_raster == (input.layer == ELEVATION)]
    matching = [f for f in formats if path.name.lower().endswith(f.suffixes)]
    if not matching:
        known = ", ".join(suffix for f in formats for suffix in f.suffixes)
        way_out = WAYS_OUT.get(path.suffix.lower(), Said("these are: {}", known))
        return refuse("unknown-format", Said("is of no format that is read; {}", sentence(way_out)))
    if not matching[0].begins.match(head):
        kind = matching[0].name
        is_not = Said("is named like {}, but its content is not {}{}", kind, kind, sentence(_what_it_is(head)))
        return refuse("wrong-content", is_not if head else "is empty")
    found = Located(input, path.resolve(), matching[0], limits)
    beside = found.companions()
    if strange := [c.name for c in beside if not c.is_file()]:
        return refuse("not-a-file", Said("{} beside it is not a file", strange[0]))
    if missing := [part.name for part in map(found.beside, found.format.needed) if part not in beside]:
        parts = joined(missing, "{} and {}")
        return refuse(
            "missing-file", Said("{} must be beside it: a {} is several files; copy all", parts, found.format.name)
        )
    try:
        limits.hold("file_mb", sum(part.stat().st_size for part in (found.path, *beside)) / MB)
        problem = found.format.problem(path, limits)
    except (OverLimitError, OSError) as error:
        return refused(input.layer, input.path, error)
    return refuse("unreadable", Said("cannot be read: {}", sentence(problem))) if problem else found


def _what_it_is(head: bytes) -> str:
    """Return what a file looks like that is not what its name says, and what to do, as part of a message."""
    if head.startswith(_OLE):
        return ": Excel wrote it in its old form or locked it with a password; in Excel, save it as .xlsx without one"
    if head.startswith(_ZIP):
        return ": if it is a workbook name it .xlsx, if it is a zip unpack it"
    return ""


def unpack(path: Path, target: Path, *, limits: Limits = USUAL) -> None:
    """Write the plain content of a file that may be packed with gzip or bzip2.

    Raises
    ------
    ValueError
        When the file breaks off, is damaged, or holds more than ``limits`` allow.
    """
    suffix, written, packed_bytes = path.suffix.lower(), 0, path.stat().st_size
    try:
        with (
            gzip.open(path) if suffix == ".gz" else bz2.open(path) if suffix == ".bz2" else path.open("rb") as packed,
            target.open("wb") as plain,
        ):
            while chunk := packed.read(_CHUNK):
                written += plain.write(chunk)
                limits.hold("unpacked_mb", written / MB)
                if is_blown_up(written, packed_bytes):
                    raise ValueError(_BLOWN_UP)
    except EOFError as error:
        raise ValueError(BREAKS_OFF) from error
    except (OSError, zlib.error) as error:
        message = Said("cannot be unpacked ({}); download or export the file again", error)
        raise ValueError(message) from error


def digest(content: bytes, located: Mapping[str, Located]) -> str:
    """Return the SHA-256, in hexadecimal, over the study file and every input with its companion files.

    It depends on what the files hold, not on where they lie.
    """
    parts = [hashlib.sha256(content).hexdigest()]
    of_file: dict[Path, str] = {}
    for layer in sorted(located):
        file = located[layer]
        for path in (file.path, *file.companions()):
            if path not in of_file:
                with path.open("rb") as opened:
                    of_file[path] = hashlib.file_digest(opened, "sha256").hexdigest()
            parts.append(f"{layer} {path.suffix} {of_file[path]}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
