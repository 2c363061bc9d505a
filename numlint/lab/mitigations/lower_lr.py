"""A step that the curvature allows.

Gradient descent on a quadratic is stable below 2/lambda_max and fastest near half of that
where the condition number is large. Where the run measured its curvature, the step becomes
1/lambda_max; else a tenth of what it was. What else was changed since, a common scale of the
features above all, may leave a lowered step far too short: then it is settled anew.
"""

import math

from numlint.lab.mitigations import Mitigation
from numlint.lab.outcome import descends
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("lr")
    if not isinstance(now, (int, float)) or now <= 0 or not descends(run):
        return {}
    best = run.conditions.largest_stable_lr / 2
    return {"lr": _rounded(best if 0 < best < now / 2 else now / 10)}


def settle(run: Run, task: Task) -> dict[str, Setting]:
    best = run.conditions.largest_stable_lr / 2
    return {"lr": _rounded(best)} if math.isfinite(best) and best > 2 * float(run.configuration.lr) else {}


def _rounded(rate: float) -> float:
    return float(f"{rate:.1g}")


MITIGATION = Mitigation(
    "lower lr",
    frozenset({"divergence", "overflow", "nan", "log-of-zero", "underflow"}),
    change,
    price=3,
    again=True,
    settle=settle,
)
