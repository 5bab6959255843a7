"""Plan and run community service stations.

Who reaches a station on foot in 8 and in 15 minutes, where new ones should stand, and which station takes a
request: `open_study`, `cover`, `site`, `compare` and `assign` are the whole of the job. Each is loaded when it is
first asked for, so that importing `lifecircle` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecircle.circles import cover
    from lifecircle.dispatch import assign
    from lifecircle.scenarios import compare, site
    from lifecircle.study import open_study

__version__ = "0.1.0"

__all__ = ["__version__", "assign", "compare", "cover", "open_study", "site"]

_HOMES = {
    "assign": "lifecircle.dispatch",
    "compare": "lifecircle.scenarios",
    "cover": "lifecircle.circles",
    "open_study": "lifecircle.study",
    "site": "lifecircle.scenarios",
}

if not TYPE_CHECKING:  # a type checker reads the imports above, and so reports names that do not exist

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
