"""A penalty on the weights.

It adds its weight to every eigenvalue of the Hessian: of 1e-3 of the largest, the condition
number is at most 1e3 afterwards, and weights that the data do not determine go to zero.
"""

import math

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

LEAST = 1e-3
SHARE = 1e-3


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("l2")
    if not isinstance(now, (int, float)):
        return {}
    curvature = run.conditions.curvature
    wanted = max(LEAST, SHARE * curvature if math.isfinite(curvature) else 0.0, 10 * now)
    return {"l2": float(f"{wanted:.1g}")}


MITIGATION = Mitigation(
    "add L2",
    frozenset({"ill-conditioned", "divergence", "overflow", "nan", "log-of-zero", "underflow", "never-stops"}),
    change,
    price=5,
    alters="a penalised minimum is another",
    again=True,
)
