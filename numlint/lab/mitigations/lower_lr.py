"""A step that the curvature allows.

Gradient descent on a quadratic is stable below 2/lambda_max and fastest near half of that
where the condition number is large. Where the run measured its curvature, the step becomes
1/lambda_max; else a tenth of what it was.
"""

import math

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("lr")
    if not isinstance(now, (int, float)) or now <= 0:
        return {}
    stable = run.conditions.largest_stable_lr / 2
    lower = stable if math.isfinite(stable) and 0 < stable < now / 2 else now / 10
    return {"lr": float(f"{lower:.1g}")}


MITIGATION = Mitigation(
    "lower lr",
    frozenset({"divergence", "overflow", "nan", "log-of-zero", "underflow"}),
    change,
    price=3,
    again=True,
)
