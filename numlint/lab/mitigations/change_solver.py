"""A solver that does not square the condition number, and knows which directions are null."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

BEST = "lstsq"
"""By the singular values of the design itself, those below its resolution left out; QR leaves none out."""


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("solver")
    if now in (None, BEST) or BEST not in task.parameter("solver").choices:
        return {}
    return {"solver": BEST}


MITIGATION = Mitigation("change the solver", frozenset({"ill-conditioned", "overflow", "nan"}), change, price=1)
