"""A stopping rule that asks for several quiet steps and a small gradient, not for one small change of the loss."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    return {"stop": "robust"} if run.configuration.settings.get("stop") in ("single-step", "none") else {}


MITIGATION = Mitigation("stop with patience", frozenset({"premature-stop", "never-stops"}), change, price=1)
