"""Plain Python floats are traced where their arithmetic is instrumented."""

from __future__ import annotations

import inspect

from numlint.runtime.trace.events import Ledger, recording
from numlint.runtime.trace.position import Scope
from numlint.runtime.trace.scalar import instrumented
from tests.runtime.trace import subjects


def test_a_loop_from_a_literal_is_traced_and_computes_the_same() -> None:
    function = subjects.from_a_literal
    plain = function(3)
    ledger = Ledger(scope=Scope({subjects.__file__ or ""}))
    with recording(ledger), instrumented(function, inspect.getsource(subjects)) as done:
        assert done
        result = function(3)
    assert float(result) == plain
    operations = {event.operation: event for event in ledger.events}
    assert operations["multiply"].count == 3
    assert operations["multiply"].zero is not None
    assert operations["multiply"].place.text == "value * 1e-200" or operations["multiply"].line > 0
    assert "log" in operations


def test_the_function_is_itself_again() -> None:
    before = subjects.variance.__code__
    with instrumented(subjects.variance, inspect.getsource(subjects)):
        assert subjects.variance.__code__ is not before
    assert subjects.variance.__code__ is before


def test_foreign_source_changes_nothing() -> None:
    with instrumented(subjects.variance, "def something_else(): pass\n") as done:
        assert not done
