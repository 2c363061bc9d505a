"""What can be done about a run that failed: one to a file, found by walking this package.

A mitigation is a change of settings. It names the signatures that it may cure, and makes
its change from a run: what that run's settings are, and what was measured in it. Whether it
helps is not presumed; `numlint.lab.recommend` tries it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import DIVERGED, Run

Change = Callable[[Run, Task], dict[str, Setting]]
"""The settings that are changed; none where the mitigation does not apply, or is in force already."""


@dataclass(frozen=True)
class Mitigation:
    """Something to try.

    Attributes
    ----------
    name : str
        As it is recommended: ``"scale features"``.
    cures : frozenset of str
        Signatures that it may cure.
    change : callable
    price : int
        What it costs the user, to choose among several that help: 1 is free, 3 makes training
        slower, 5 makes it another model.
    alters : str
        What else it changes, where it does: ``"the minimum is another"``.
    again : bool
        Whether it can be added once more where it helped and did not cure.
    settle : callable, optional
        Makes its change anew, from a run that learns nothing because of it.
    """

    name: str
    cures: frozenset[str]
    change: Change
    price: int = 2
    alters: str = ""
    again: bool = False
    settle: Change | None = None


@cache
def mitigations() -> tuple[Mitigation, ...]:
    """All of them, the cheapest first."""
    found = [import_module(f"{__name__}.{module.name}").MITIGATION for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted(found, key=lambda item: (item.price, item.name)))


def symptoms(run: Run) -> frozenset[str]:
    """The signatures of a run; a run that diverged shows a divergence, whether or not that was named."""
    named = {finding.signature for finding in run.findings}
    return frozenset(named | ({"divergence"} if run.status == DIVERGED else set()))
