"""A trace in words: the first bad operation, and a short table."""

from __future__ import annotations

import os

from .events import Event, Ledger

ROWS = 8


def describe(event: Event) -> str:
    """One sentence: where, what, of which operands."""
    failure = event.birth or event.zero
    place = f"{event.where}: {event.place.text}" if event.file else event.where
    if failure is not None:
        went = {
            "overflow": "overflows",
            "pole": "is infinite",
            "nan": "is not a number",
            "underflow": "underflows to zero",
            "raised": "fails",
        }[failure.kind]
        return f"{place}\n  {event.operation} {went}: operand {failure.operand}, result {failure.result}"
    if event.digits_lost > 1:
        operand, result = event.worst
        lost = f"loses {event.digits_lost:.0f} digits"
        return f"{place}\n  {event.operation} {lost}: operand {operand}, result {result}"
    return f"{place}\n  {event.operation}: {event.operands} -> {event.result}"


def text(ledger: Ledger) -> str:
    """The report that a trace prints."""
    events = ledger.events
    first = ledger.first
    count = sum(event.count for event in events)
    lines = [f"numlint trace: {count} operations at {len(events)} places"]
    lines.append(f"first bad operation: {describe(first)}" if first is not None else "no operation went wrong")
    suspects = sorted((event for event in events if _notes(event)), key=_rank)[:ROWS]
    if suspects:
        rows = [("where", "operation", "count", "operands", "result", "what")]
        rows += [
            (
                f"{os.path.basename(event.file)}:{event.line}" + (f" {event.layer}" if event.layer else ""),
                event.operation,
                str(event.count),
                str(event.operands),
                str(event.result),
                _notes(event),
            )
            for event in suspects
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines += ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[5]]) for row in rows]
    if ledger.lost:
        lost = ", ".join(f"{name} ({number})" for name, number in ledger.lost.most_common(5))
        lines.append(f"the shadow was lost in: {lost}")
    return "\n".join(lines) + "\n"


def _rank(event: Event) -> tuple[float, float]:
    failure = event.birth or event.zero
    return (failure.number if failure is not None else float("inf"), -event.digits_lost)


def _notes(event: Event) -> str:
    counts = (
        (event.overflows, "overflow"),
        (event.poles, "pole"),
        (event.nans, "nan"),
        (event.underflows, "underflow"),
        (event.flips, "decided otherwise"),
    )
    notes = [f"{what} x{number}" for number, what in counts if number]
    if event.birth is not None and event.birth.kind == "raised":
        notes.append(event.birth.result)
    if event.digits_lost > 1:
        notes.append(f"{event.digits_lost:.0f} digits lost")
    return ", ".join(notes)
