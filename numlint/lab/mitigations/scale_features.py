"""Features with mean 0 and variance 1.

The curvature of the loss is that of the Gram matrix of the features. A common scale costs no
information, and brings the condition number, and with it the largest stable step, to what the
correlations alone leave of it (LeCun et al., Efficient BackProp, 1998, section 4.3).
"""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = run.configuration.settings.get("standardise")
    return {"standardise": "two-pass"} if now not in (None, "two-pass") else {}


MITIGATION = Mitigation(
    "scale features",
    frozenset(
        {
            "overflow",
            "nan",
            "log-of-zero",
            "underflow",
            "ill-conditioned",
            "divergence",
            "lost-update",
            "cancellation",
            "gradient-underflow",
        }
    ),
    change,
    price=2,
)
