"""Which station takes a request: the nearest on foot that may serve it, offers the item, is open and has room."""

from lifecircle.dispatch.assignment import assign
from lifecircle.dispatch.index import AtStop, Found, StationIndex
from lifecircle.dispatch.pool import Pool
from lifecircle.dispatch.reasons import REASONS
from lifecircle.dispatch.roster import Roster

__all__ = ["REASONS", "AtStop", "Found", "Pool", "Roster", "StationIndex", "assign"]
