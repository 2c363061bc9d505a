"""The next wider format."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

WIDER = {"float16": "float32", "bfloat16": "float32", "mixed": "float32", "float32": "float64"}


def change(run: Run, task: Task) -> dict[str, Setting]:
    now = str(run.configuration.settings.get("precision"))
    return {"precision": WIDER[now]} if now in WIDER else {}


MITIGATION = Mitigation(
    "raise precision",
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
            "premature-stop",
            "never-stops",
            "gradient-underflow",
        }
    ),
    change,
    price=4,
)
