"""Files as chance breaks them: bits turned, pieces lost, doubled, blanked or put elsewhere, and lengths that lie.

Every mutant is checked in a child of its own worker, with a limit of memory and of time, as part of a study that is
otherwise whole. `python tests/fuzz.py 2000` breaks every format so often and prints what came of it.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 5
MORE_BYTES = 2**30
"""What a mutant may take, seconds of the clock and bytes above what the worker has when it starts."""

_NUMBERS = (0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
_WORDS = (
    b"NaN",
    b"-inf",
    b"1e999",
    b"9" * 400,
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"=1+1",
    b"[" * 3000,
    b"<a>" * 500,
)


@dataclass(frozen=True)
class Target:
    """A whole study, and the file of it that is broken: that of a layer, or the study file itself."""

    name: str
    folder: Path
    file: str
    layer: str


@dataclass
class Outcome:
    """What came of the mutants of a target; ``failures`` tell each that ended in no clean answer."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)


def mutant(content: bytes, chance: random.Random) -> bytes:
    """Return a file broken in one to four ways."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_WAYS)(data, chance)
    return bytes(data)


def _span(data: bytearray, chance: random.Random) -> slice:
    begin = chance.randrange(len(data) + 1)
    return slice(begin, begin + chance.choice((1, 4, 16, 256, 4096)))


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 16)) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _lose(data: bytearray, chance: random.Random) -> None:
    del data[_span(data, chance)]


def _double(data: bytearray, chance: random.Random) -> None:
    span = _span(data, chance)
    data[span.start : span.start] = data[span] * chance.choice((1, 2, 50))


def _blank(data: bytearray, chance: random.Random) -> None:
    span = _span(data, chance)
    data[span] = bytes(len(data[span]))


def _splice(data: bytearray, chance: random.Random) -> None:
    data[_span(data, chance)] = data[_span(data, chance)]


def _lie(data: bytearray, chance: random.Random) -> None:
    """Write a number that is far too large, or none, where a length may be."""
    if len(data) >= 8:
        number, order = chance.choice(_NUMBERS), chance.choice("<>")
        at = chance.randrange(min(len(data) - 7, chance.choice((64, 1024, len(data)))))
        struct.pack_into(f"{order}I", data, at, number)


def _say(data: bytearray, chance: random.Random) -> None:
    """Write, where a number or a word of a text stands, another."""
    found = list(re.finditer(rb"[-+.\w]+", bytes(data[: 2**18])))
    if found:
        at = chance.choice(found)
        data[at.start() : at.end()] = chance.choice(_WORDS)


_WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _cut, _lose, _double, _blank, _splice, _lie, _say),
)


def fuzz(target: Target, n: int, check: Callable[[Target, Path], str], *, seed: int = 0) -> Outcome:
    """Break a file ``n`` times and let ``check`` answer to each: the name of a clean answer, or it raises.

    One child answers to mutant after mutant; where it dies, another goes on after the one that killed it.
    """
    outcome, done = Outcome(), 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        shutil.copytree(target.folder, folder)
        content, file = (target.folder / target.file).read_bytes(), folder / target.file
        while done < n:
            done = _worker(target, range(done, n), outcome, (content, file, folder), check, seed)
    return outcome


def _worker(
    target: Target,
    numbers: range,
    outcome: Outcome,
    files: tuple[bytes, Path, Path],
    check: Callable[[Target, Path], str],
    seed: int,
) -> int:
    """Return how many mutants are done when a child of this process has ended."""
    content, file, folder = files
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        _limit_memory()
        for number in numbers:
            file.write_bytes(mutant(content, random.Random(f"{seed} {target.name} {number}")))
            started_s = time.perf_counter()
            os.write(writable, b"begin\n")
            signal.alarm(SECONDS)
            try:
                answer = check(target, folder)
            except BaseException:  # noqa: BLE001 - whatever is raised is what is looked for
                answer = "raised " + " | ".join(traceback.format_exc().splitlines()[-7:])
            signal.alarm(0)
            took_s = time.perf_counter() - started_s
            os.write(writable, f"{took_s:.3f} {answer[:1500]}\n".encode("utf-8", "backslashreplace"))
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, errors="replace") as told:
        answers = [line for line in told if line != "begin\n"]
    _, status = os.waitpid(child, 0)
    for number, line in zip(numbers, answers, strict=False):
        seconds, _, answer = line.strip().partition(" ")
        outcome.slowest_s = max(outcome.slowest_s, float(seconds))
        if answer.startswith("raised"):
            outcome.failures.append(f"{target.name} {number}: {answer}")
        else:
            outcome.answers[answer] += 1
    done = numbers.start + len(answers)
    if os.WIFSIGNALED(status):
        died = os.WTERMSIG(status)
        how = f"took more than {SECONDS} s" if died == signal.SIGALRM else f"died of signal {died}"
        outcome.failures.append(f"{target.name} {done}: {how}")
        done += 1
    return done


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Break every format and print a table."""
    import test_hostile

    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    only = sys.argv[2:]
    failures = []
    with tempfile.TemporaryDirectory() as place:
        for target in test_hostile.targets(Path(place)):
            if only and target.name not in only:
                continue
            started_s = time.perf_counter()
            outcome = fuzz(target, n, test_hostile.answer, seed=1)
            failures += outcome.failures
            took_s = time.perf_counter() - started_s
            told = ", ".join(f"{answer} {count}" for answer, count in outcome.answers.most_common(4))
            print(
                f"{target.name:<24}{n:>6} {took_s:7.1f} s, slowest {outcome.slowest_s:.2f} s, "
                f"failed {len(outcome.failures)}: {told}",
                flush=True,
            )
    print("\n".join(failures[:200]))
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
