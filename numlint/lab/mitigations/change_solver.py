"""A solver that does not square the condition number, and knows which directions are null."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

BETTER = ("lstsq", "svd", "qr", "pinv-rtol")
"""Those that work on the design itself, the most robust first."""


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("solver")
    if now is None or now in BETTER:
        return {}
    choices = task.parameter("solver").choices
    return next(({"solver": name} for name in BETTER if name in choices), {})


MITIGATION = Mitigation("change the solver", frozenset({"ill-conditioned", "overflow", "nan"}), change, price=1)
