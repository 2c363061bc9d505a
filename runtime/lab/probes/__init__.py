"""Probes for failures that raise nothing: a training function runs, and its model is wrong all the same.

Each module of this package is one probe. It asks one question of a training function, by
running it, and answers with figures. A question that the function gives no means to ask is
answered with the reason, and with what would make it possible. Beyond what `monitor` reads,
a training function may yield:

``loss_of``
    A function from parameters by name to the loss on the data of this step, in numpy.
``closure``
    A function without arguments that returns the loss of the ``model`` of torch on them.
``predict``, ``inputs``
    A function from inputs to outputs, and the inputs.
``predictions``, ``target``, ``design``
    Outputs for the training data, what they should be, and the features.
``checkpoint``
    Whatever the function takes as its parameter ``checkpoint`` to go on after this epoch.

References
----------
.. A. Karpathy, A Recipe for Training Neural Networks, 2019: most errors of training are silent.
.. S. Zhang et al., AutoTrainer: An Automatic DNN Training Problem Detection and Repair System, ICSE 2021.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ...containment import Interrupted, deadline
from ..answers import UNASKED, Answer
from ..data import Refused
from .subject import CannotAsk, Subject


@dataclass(frozen=True)
class Probe:
    """A question, and how it is asked.

    Attributes
    ----------
    name : str
    question : str
    ask : callable
        From a `Subject` to an `Answer`; raises `CannotAsk`.
    """

    name: str
    question: str
    ask: Callable[[Subject], Answer]


def probes() -> dict[str, Probe]:
    """All probes by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        item = getattr(importlib.import_module(f"{__name__}.{info.name}"), "PROBE", None)
        if isinstance(item, Probe):
            found[item.name] = item
    return found


def answers(subject: Subject, names: Iterable[str] = (), seconds: float = 60.0) -> Iterator[Answer]:
    """Ask a training function.

    Parameters
    ----------
    subject : Subject
    names : iterable of str
        Of probes; all where it is empty.
    seconds : float
        Time limit for each.

    Raises
    ------
    Refused
        There is no such probe.
    """
    known = probes()
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            raise Refused(f"there is no probe {name!r}: {', '.join(known)}")
    for name in chosen:
        yield answer(known[name], subject, seconds)


def answer(probe: Probe, subject: Subject, seconds: float = 60.0) -> Answer:
    """What one probe says; a training function that raises or hangs is an answer, too."""
    started = time.perf_counter()
    try:
        with deadline(seconds):
            found = probe.ask(subject)
    except CannotAsk as reason:
        found = Answer(probe.name, UNASKED, reason.why, reason.remedy)
    except Interrupted:
        found = Answer(probe.name, UNASKED, f"it took longer than {seconds:g} s", "give it more time with --seconds")
    except Refused:
        raise
    except Exception as error:
        said = f"the training function raised {type(error).__name__}: {error}"
        found = Answer(probe.name, UNASKED, said, "make it run through with these settings first")
    return replace(found, probe=probe.name, question=probe.question, seconds=time.perf_counter() - started)
