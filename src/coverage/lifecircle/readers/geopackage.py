"""What a GeoPackage may hold: tables. What SQLite would work out while it reads is refused before GDAL opens it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from lifecircle.readers.limits import Limits
from lifecircle.said import Said

_DAMAGED = "it is damaged; export it again"
_UNFINISHED = "the program that has it open has not finished: close that, or export the layer anew"
_LOGS = ("-wal", "-journal")
"""Ends of names of files beside a database whose content goes before its own."""

_TABLE = re.compile("CREATE TABLE ", re.IGNORECASE)
_INDEX = re.compile(r"""CREATE VIRTUAL TABLE (?:"(?:[^"]|"")*"|\w+) +USING +rtree *\(""", re.IGNORECASE)
"""How SQLite notes down a table made by a program: from its name on as it was written."""


def problem_of_geopackage(path: Path, limits: Limits) -> str:
    """Return why a GeoPackage may not be opened, empty when it may.

    A view, a table made by a program and a column that is computed can call for other files and addresses, or for
    rows without end. Layers are tables, and the one table made by a program that they need is the spatial index.
    What another program has not yet written into the file is no part of it, and to read it would be to write it.

    Raises
    ------
    OverLimitError
        When a table has more columns than ``limits`` allow.
    """
    path = path.resolve()
    logs = [log for log in (path.with_name(path.name + end) for end in _LOGS) if log.exists()]
    if any(not log.is_file() or log.stat().st_size for log in logs):
        return _UNFINISHED
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            file.execute("PRAGMA trusted_schema = OFF")
            return _problem(file, limits)
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if isinstance(error, sqlite3.Error | UnicodeError | OverflowError):
            return _DAMAGED
        raise


def _problem(file: sqlite3.Connection, limits: Limits) -> str:
    tables = file.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    for kind, name, sql in tables:
        if kind == "view" or not (_TABLE.match(str(sql)) or _INDEX.match(str(sql))):
            return Said("{} in it is a view, no table; export what is needed into a file of its own", name)
    for _, name, sql in tables:
        if _TABLE.match(str(sql)):
            columns = file.execute("SELECT hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
            limits.hold("columns", len(columns))
            if any(hidden for (hidden,) in columns):
                return Said("{} in it has computed columns; export what is needed into a file of its own", name)
    return ""
