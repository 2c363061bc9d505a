"""Cumulative sums: when a symptom is announced, and since when."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.lab.changes import CHANCE, EPOCHS_TO_FALSE_ALARM, Detector

QUIET = st.integers(0, 40)


def fed(symptoms: list[bool]) -> Detector:
    detector = Detector()
    for epoch, shown in enumerate(symptoms):
        detector.update(epoch, shown)
    return detector


@given(QUIET, st.integers(3, 30))
def test_a_symptom_that_stays_is_dated_to_its_first_epoch(before: int, during: int) -> None:
    detector = fed([False] * before + [True] * during)
    assert [(stretch.first, stretch.last) for stretch in detector.stretches] == [(before, None)]


@given(QUIET, st.integers(3, 30))
def test_the_end_is_dated_to_the_last_epoch(before: int, during: int) -> None:
    detector = fed([False] * before + [True] * during + [False] * 30)
    assert [(stretch.first, stretch.last) for stretch in detector.stretches] == [(before, before + during - 1)]


@given(st.lists(st.booleans(), max_size=200))
def test_stretches_are_ordered_and_apart(symptoms: list[bool]) -> None:
    ends = -1
    for stretch in fed(symptoms).stretches:
        assert stretch.first > ends
        assert symptoms[stretch.first]
        ends = len(symptoms) if stretch.last is None else stretch.last


def test_chance_gives_an_alarm_less_often_than_promised() -> None:
    shown = np.random.default_rng(0).random(200_000) < CHANCE
    alarms = len(fed(shown.tolist()).stretches)
    assert alarms <= len(shown) / EPOCHS_TO_FALSE_ALARM
