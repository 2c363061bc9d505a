"""A bound on the norm of the gradient (Pascanu et al., On the difficulty of training RNNs, ICML 2013)."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.outcome import descends
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    settings = run.configuration.settings
    return {"clip": 1.0} if descends(run) and "clip" in settings and settings["clip"] is None else {}


MITIGATION = Mitigation("clip the gradient", frozenset({"divergence", "overflow", "nan"}), change, price=3)
