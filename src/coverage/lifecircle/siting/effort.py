"""What a search may spend, when it ends, and how it tells of itself.

A search is an iterator of *states*, each at least as good as the one before it: the first as soon as there is any plan
and any bound, then one after every round. `furthest` runs it: here alone the clock is looked at, the work is counted,
who waits is told, and Ctrl-C is caught.

    def states(cover) -> Iterator[State]:       # knows nothing of clocks
        state = first(cover)
        while True:
            yield state
            state = better(state)

    state, ended = furthest(states(cover), effort)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal, Protocol, TypeVar

Report = Callable[[float, float, float], None]
"""Is told the value, the bound and the seconds so far."""

Ended = Literal["proven", "stuck", "work", "time", "interrupted"]
"""Why a search stopped: no plan is better, and that is proven; it knows no way to make anything better; the work or
the time was over; somebody pressed Ctrl-C."""


class State(Protocol):
    """Where a search stands."""

    @property
    def value(self) -> float:
        """What the best plan so far reaches, in the unit of the question."""
        ...

    @property
    def bound(self) -> float:
        """What no plan can better."""
        ...

    @property
    def proven(self) -> bool:
        """Whether there is nothing left to search for."""
        ...

    @property
    def work(self) -> float:
        """The entries touched so far, pairs of a site and a home: the same on every machine."""
        ...


S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Effort:
    """What a search may spend.

    Attributes
    ----------
    work_limit
        Entries to touch; None: no limit. The same input and limit give the same plan on every machine.
    ends_s
        When to end, on the clock of `time.monotonic`; None: never.
    report
        Is told of every state; None: nobody waits.
    started_s
        When it began, on the same clock.
    """

    work_limit: float | None = None
    ends_s: float | None = None
    report: Report | None = None
    started_s: float = field(default_factory=monotonic)

    @classmethod
    def of(
        cls, *, work_limit: float | None = None, time_limit_s: float | None = None, report: Report | None = None
    ) -> Effort:
        """Return an effort that begins now and has ``time_limit_s`` seconds."""
        now_s = monotonic()
        return cls(work_limit, None if time_limit_s is None else now_s + time_limit_s, report, now_s)

    @property
    def left_s(self) -> float | None:
        """Seconds left, 0 or more; None: any number."""
        return None if self.ends_s is None else max(0.0, self.ends_s - monotonic())

    @property
    def over(self) -> Ended | None:
        """Which of the limits is reached; None: neither."""
        if self.left_s == 0.0:
            return "time"
        return "work" if self.work_limit == 0.0 else None

    def less(self, work: float) -> Effort:
        """Return what is left of the effort once ``work`` is done; the clock runs on by itself."""
        return self if self.work_limit is None else replace(self, work_limit=max(0.0, self.work_limit - work))

    def after(self, work: float, ended: Ended) -> Effort:
        """Return what a search leaves of the effort: nothing where somebody pressed Ctrl-C."""
        return replace(self, work_limit=0.0) if ended == "interrupted" else self.less(work)

    def part(self, share: float) -> Effort:
        """Return an effort that may spend a share of what is left of the time and of the work."""
        work = None if self.work_limit is None else share * self.work_limit
        return replace(self, work_limit=work, ends_s=None if self.left_s is None else monotonic() + share * self.left_s)

    def at_least(self, *, time_s: float, work: float) -> Effort:
        """Return an effort that has so many seconds and so much work left, or more."""
        ends_s = None if self.ends_s is None else max(self.ends_s, monotonic() + time_s)
        return replace(self, ends_s=ends_s, work_limit=None if self.work_limit is None else max(self.work_limit, work))

    def tell(self, value: float, bound: float) -> None:
        """Tell who waits where the search stands."""
        if self.report is not None:
            self.report(value, bound, monotonic() - self.started_s)


UNLIMITED = Effort()
"""Until it is proven, or nothing makes anything better."""


def furthest(states: Iterator[S], effort: Effort) -> tuple[S, Ended]:
    """Return the last state that a search comes to, and why it stops there.

    No round starts that would end after the time is over, if it took as long as the one before it.

    Raises
    ------
    KeyboardInterrupt
        Where somebody presses Ctrl-C before there is a first state.
    """
    state: S | None = None
    before_s = monotonic()
    try:
        for state in states:
            now_s = monotonic()
            effort.tell(state.value, state.bound)
            if state.proven:
                return state, "proven"
            if effort.work_limit is not None and state.work >= effort.work_limit:
                return state, "work"
            if effort.ends_s is not None and now_s + (now_s - before_s) >= effort.ends_s:
                return state, "time"
            before_s = now_s
    except (KeyboardInterrupt, SystemError) as error:
        # Pressed within compiled code, Ctrl-C comes out as the cause of another error.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        if state is None:
            raise KeyboardInterrupt from error
        return state, "interrupted"
    if state is None:
        raise ValueError("a search has at least one state")
    return state, "stuck"
