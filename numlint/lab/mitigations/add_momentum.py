"""A share of the last step added to the next.

Along a long narrow valley the steps add up: descent then needs about as many epochs as the
root of the condition number, instead of the condition number itself (Polyak, Some methods of
speeding up the convergence of iteration methods, 1964).
"""

from numlint.lab.mitigations import Mitigation
from numlint.lab.outcome import descends
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

SHARE = 0.9


def change(run: Run, task: Task) -> dict[str, Setting]:
    return {"momentum": SHARE} if descends(run) and run.configuration.settings.get("momentum") == 0 else {}


MITIGATION = Mitigation("add momentum", frozenset({"ill-conditioned"}), change, price=2)
