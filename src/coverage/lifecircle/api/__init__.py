"""A study over HTTP: `run` answers until it is told to stop, and what it answers is what the commands say."""

from lifecircle.api.desk import Desk, Desks
from lifecircle.api.guard import Guard, is_loopback, read_keys
from lifecircle.api.server import listen, run

__all__ = ["Desk", "Desks", "Guard", "is_loopback", "listen", "read_keys", "run"]
