"""What was seen: one event for each operation at each place, and the ledger that keeps them.

An event sums up every execution of one operation at one place: how often, over which
ranges, and what went wrong. The ledger numbers the executions, so that the first thing
that went wrong is known, and keeps a count of the operations that lost the shadow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .position import NOWHERE, Place, Scope


@dataclass
class Span:
    """Least and largest finite number that was seen; empty while `low` > `high`."""

    low: float = math.inf
    high: float = -math.inf

    def widen(self, low: float, high: float) -> None:
        if low < self.low:
            self.low = low
        if high > self.high:
            self.high = high

    def __bool__(self) -> bool:
        return self.low <= self.high

    def __str__(self) -> str:
        if not self:
            return "-"
        return f"{self.low:.4g}" if self.low == self.high else f"{self.low:.4g} .. {self.high:.4g}"


@dataclass
class Birth:
    """The first time an operation made inf, nan or a false zero out of finite, nonzero operands.

    Attributes
    ----------
    number : int
        Of the operation, counted from the start of the trace.
    kind : str
        ``"overflow"``, ``"pole"`` (a quotient or logarithm of zero), ``"nan"``, ``"underflow"`` or ``"raised"``.
    operand, result : str
    true_is_finite : bool or None
        Whether the shadow has a finite value there; None without a shadow.
    from_false_zero : bool
        Whether an operand was zero where its true value is not: then the failure began earlier.
    inherited : bool
        Whether the operation gives a finite number on the true operands, rounded: then the
        operands were wrong already, as in the square root of a negative distance.
    """

    number: int
    kind: str
    operand: str = ""
    result: str = ""
    true_is_finite: bool | None = None
    from_false_zero: bool = False
    inherited: bool = False


@dataclass
class Event:
    """All executions of one operation at one place.

    Attributes
    ----------
    operation : str
        numpy's or torch's name: ``"exp"``, ``"subtract"``, ``"linalg.inv"``, ``"aten.exp"``.
    place : Place
    layer : str
        Path of the torch module, such as ``"Net.encoder.0"``.
    count : int
    operands, result : Span
    overflows, poles, nans, underflows, absorbed : int
        Executions in which it happened. `poles`: an infinity from a zero, as in ``log(0)``.
    cancelled : float
        Bits that the largest cancellation of a sum or difference took off.
    local, total : float
        Largest relative error: of this operation on the true operands, rounded; and altogether.
    eps : float
        Unit of the format that it computed in.
    flips : int
        Executions of a comparison or argmax that came out differently from the shadow's.
    birth, zero : Birth or None
        The first non-finite number that was born here, and the first false zero.
    worst : tuple of (str, str)
        Operand and result at the largest local error.
    """

    operation: str
    place: Place = NOWHERE
    layer: str = ""
    count: int = 0
    operands: Span = field(default_factory=Span)
    result: Span = field(default_factory=Span)
    overflows: int = 0
    poles: int = 0
    nans: int = 0
    underflows: int = 0
    absorbed: int = 0
    cancelled: float = 0.0
    local: float = 0.0
    total: float = 0.0
    eps: float = 2.0**-52
    flips: int = 0
    birth: Birth | None = None
    zero: Birth | None = None
    worst: tuple[str, str] = ("", "")

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.region.line

    @property
    def function(self) -> str:
        return self.place.function

    @property
    def digits_lost(self) -> float:
        """Decimal digits that this operation lost by itself, from the true operands rounded."""
        return digits(self.local, self.eps)

    @property
    def digits_lost_in_total(self) -> float:
        return digits(self.total, self.eps)

    @property
    def where(self) -> str:
        """``file:line``, with the layer where there is one."""
        place = f"{self.file}:{self.line}" if self.file else "?"
        return f"{place} ({self.layer})" if self.layer else place


def digits(error: float, eps: float) -> float:
    """Decimal digits between a relative error and the rounding error of one operation."""
    if not error > eps:
        return 0.0
    return math.log10(min(error, 1.0) / eps)


@dataclass(eq=False)
class Ledger:
    """The events of one trace.

    Attributes
    ----------
    shadow : bool
        Whether a wider value is carried beside every number.
    scope : Scope
    events : list of Event
        In the order in which the places were first reached.
    lost : Counter
        Operations through which the shadow could not follow: it starts anew from the rounded value.
    """

    shadow: bool = True
    scope: Scope = field(default_factory=Scope)
    lost: Counter[str] = field(default_factory=Counter)
    number: int = 0
    generation: int = 0
    """Raised whenever memory is written to: ranges remembered before are then out of date."""
    _events: dict[Any, Event] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        return list(self._events.values())

    def event(self, operation: str, place: Place | None = None, layer: str = "") -> Event:
        """The event of an operation at this place, counted once more."""
        here = place or self.scope.place(2)
        key = (here.key, operation, layer)
        found = self._events.get(key)
        if found is None:
            found = self._events[key] = Event(operation, here, layer)
        found.count += 1
        self.number += 1
        return found

    @property
    def first(self) -> Event | None:
        """The first operation that went wrong: see `blamed` for the order of what counts."""
        return blamed(self.events)


def blamed(events: Collection[Event], finite: bool = False, preferred: Collection[int] = ()) -> Event | None:
    """The operation where a failure began.

    A non-finite number that is born where the true value is finite comes first; if it was
    born of a false zero, then the operation that made that zero; then any non-finite
    number; then the largest loss of digits, local before total; then a false zero.

    Parameters
    ----------
    events : collection of Event
    finite : bool
        The results are finite: infinities on the way did no harm, digits come first.
    preferred : collection of int
        Lines which win among operations that lost nearly the same number of digits.
    """
    if not finite:
        found = _first_birth(events, preferred)
        if found is not None:
            return found
    found = _largest_loss(events, preferred)
    if found is not None:
        return found
    zeros = [event for event in events if event.zero]
    if zeros:
        return min(zeros, key=lambda event: event.zero.number if event.zero else 0)
    return _first_birth(events, preferred)


def _first_birth(events: Collection[Event], preferred: Collection[int]) -> Event | None:
    born = [event for event in events if event.birth]
    wrong = [event for event in born if event.birth and event.birth.true_is_finite]
    if not born:
        return None
    first = min(wrong or born, key=lambda event: event.birth.number if event.birth else 0)
    birth = first.birth
    if birth and birth.from_false_zero:
        zeros = [event for event in events if event.zero and event.zero.number < birth.number]
        if zeros:
            return min(zeros, key=lambda event: event.zero.number if event.zero else 0)
    if birth and birth.inherited:
        return _largest_loss([event for event in events if event is not first], preferred) or first
    return first


SIGNIFICANT = 1.0
"""Decimal digits; below, the loss is the ordinary rounding of a sum."""


def _largest_loss(events: Collection[Event], preferred: Collection[int]) -> Event | None:
    def loss(event: Event) -> float:
        return event.digits_lost + (1.0 if event.line in preferred else 0.0)

    losers = [event for event in events if event.digits_lost > SIGNIFICANT]
    if losers:
        return max(losers, key=loss)
    cancelling = [event for event in events if event.cancelled > 10 and event.digits_lost_in_total > SIGNIFICANT]
    if cancelling:
        return max(cancelling, key=lambda event: (event.line in preferred, event.cancelled))
    return None


_current: list[Ledger] = []


def current() -> Ledger | None:
    """The ledger of the innermost trace that is running."""
    return _current[-1] if _current else None


@contextmanager
def recording(ledger: Ledger) -> Iterator[Ledger]:
    """Record in `ledger` during the ``with`` block."""
    _current.append(ledger)
    try:
        yield ledger
    finally:
        _current.remove(ledger)
