"""Who may ask what: keys with roles, how often each, and from where a browser may come."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from lifecircle.api.problems import RequestError
from lifecircle.errors import SourceError, StudyError, UnknownNameError
from lifecircle.said import Said
from lifecircle.schema import breach

ROLES = ("ask", "assign", "plan", "admin")
"""Each may do what those before it may: look up, send requests in batches, see the map with its residents, reload."""

ROLE_OF: Mapping[str, str] = {"assign": "assign", "": "plan", "reload": "admin"}
"""The role that a route needs, by the first part of its path; all others need ``ask``."""

OPEN = ("health", "ready")
"""Routes that need no key: they tell nothing of the study."""

OWN_SITE = (b"none", b"same-origin")
"""What browsers say of a page of this server, and of an address that somebody typed."""

_KEY_FIELDS = {"name", "role", "sha256", "per_second"}


@dataclass(frozen=True)
class Key:
    """Who holds a key of this SHA-256, what they may do, and how many requests a second (0: any number)."""

    name: str
    role: str
    sha256: str
    per_second: float = 0.0


@dataclass
class _Bucket:
    """Requests that a caller may still send: one second's worth at most, filled as time goes."""

    left: float
    at_s: float


@dataclass(frozen=True)
class Guard:
    """Lets requests in. Without keys only this machine is served, under names of its own that no web page can take."""

    keys: tuple[Key, ...] = ()
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def admit(self, route: str, method: str, headers: Mapping[bytes, bytes]) -> str:
        """Return the name of who asks, empty where nobody need say it.

        Raises
        ------
        RequestError
            When there is no key, or not one for this route, or its holder asks too often.
        """
        if headers.get(b"sec-fetch-site", b"none") not in OWN_SITE and not _opens_the_map(route, method, headers):
            raise RequestError("a page of another site may not ask for this", status=403, code="Forbidden")
        if not self.keys:
            if route == "reload":
                raise RequestError("reloading needs a key of the role admin", status=403, code="Forbidden")
            if not _is_local_name(headers.get(b"host", b"")):
                raise RequestError(
                    "without keys this machine alone is served, as localhost", status=403, code="Forbidden"
                )
            return ""
        if route in OPEN:
            return ""
        key = self._holder(_presented(headers))
        if key is None:
            raise RequestError("a key is needed: Authorization: Bearer KEY", status=401, code="Unauthorized")
        needed = ROLE_OF.get(route, ROLES[0])
        if ROLES.index(key.role) < ROLES.index(needed):
            raise RequestError(Said("this needs a key of the role {}", needed), status=403, code="Forbidden")
        self._count(key)
        return key.name

    def _holder(self, presented: str) -> Key | None:
        """Return whose key it is; every key is compared, and each in the same time."""
        digest = hashlib.sha256(presented.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for key in self.keys:
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found

    def _count(self, key: Key) -> None:
        if not key.per_second:
            return
        now_s, most = time.monotonic(), max(key.per_second, 1.0)
        bucket = self._buckets.setdefault(key.name, _Bucket(most, now_s))
        bucket.left = min(most, bucket.left + (now_s - bucket.at_s) * key.per_second)
        bucket.at_s = now_s
        if bucket.left < 1.0:
            wait_s = int((1.0 - bucket.left) / key.per_second) + 1
            message = Said("more than {:g} requests a second", key.per_second)
            raise RequestError(message, status=429, code="TooManyRequests", retry_after_s=wait_s)
        bucket.left -= 1.0


def read_keys(path: Path) -> tuple[Key, ...]:
    """Read a file of keys: one ``[[key]]`` each, with the SHA-256 in place of the key itself.

    Raises
    ------
    SourceError
        When the file cannot be read.
    StudyError
        When it is no such file; every breach is listed, and none shows what stands in it.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SourceError(Said("{}: the file of keys cannot be read", path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(Said("{}: the file of keys is not TOML", path)) from error
    rows = said.get("key", [])
    rows = rows if isinstance(rows, list) else [rows]
    wrong = [i for i, row in enumerate(rows, start=1) if not _is_key(row)]
    names = [row["name"] for row in rows if _is_key(row)]
    form = "a [[key]] has a name, a role, a sha256 of 64 hexadecimal digits and, if wanted, per_second"
    same = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    breaches = [
        *breach("keys", "bad-key", form, [str(i) for i in wrong]),
        *breach("keys", "duplicate-id", "two keys have this name", same),
    ]
    if breaches or not rows:
        raise StudyError(Said("{}: the file of keys cannot be used", path), breaches=breaches)
    return tuple(Key(row["name"], row["role"], row["sha256"].lower(), float(row.get("per_second", 0))) for row in rows)


def _is_key(row: object) -> bool:
    if not isinstance(row, dict) or not {"name", "role", "sha256"} <= set(row) <= _KEY_FIELDS:
        return False
    name, digest, rate = row["name"], row["sha256"], row.get("per_second", 0)
    is_digest = isinstance(digest, str) and len(digest) == 64 and all(c in "0123456789abcdefABCDEF" for c in digest)
    is_rate = isinstance(rate, int | float) and not isinstance(rate, bool) and 0 <= rate < float("inf")
    return (
        is_digest and is_rate and row["role"] in ROLES and isinstance(name, str) and name.isprintable() and name != ""
    )


def make_key(name: str, role: str) -> tuple[str, str]:
    """Return a new key, and the lines of a file of keys that let in who has it.

    Raises
    ------
    UnknownNameError
        When there is no such role, or the name is none.
    """
    key = secrets.token_urlsafe(32)
    row = {"name": name, "role": role, "sha256": hashlib.sha256(key.encode()).hexdigest()}
    if not _is_key(row):
        raise UnknownNameError(Said("a key has a name and a role of {}, not {!r}", ", ".join(ROLES), role))
    return key, "\n".join(
        ["[[key]]", *(f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in row.items())]
    )


def is_loopback(host: str) -> bool:
    """Return whether an address is one of this machine that no other can reach."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(256)
def _is_local_name(host: bytes) -> bool:
    name = host.decode("latin-1")
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return is_loopback(name)


def _opens_the_map(route: str, method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a browser goes to the map itself, as by a link: then no other page sees what comes back."""
    told = headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest")
    return route == "" and method == "GET" and told == (b"navigate", b"document")


def _presented(headers: Mapping[bytes, bytes]) -> str:
    """Return the key that a request bears, empty for none: as a bearer or, from a browser, as the password."""
    scheme, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except ValueError:
            return ""
    return headers.get(b"x-api-key", b"").decode("latin-1")
