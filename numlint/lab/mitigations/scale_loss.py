"""A factor on the loss, taken out of the gradient again in the wider format.

Gradients below 6e-8 are zero in float16; multiplied by 1024 they are not (Micikevicius et
al., Mixed Precision Training, ICLR 2018).
"""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run

FACTOR = 1024.0


def change(run: Run, task: Task) -> dict[str, Setting]:
    settings = run.configuration.settings
    if "loss_scale" not in settings or settings.get("precision") not in ("float16", "mixed"):
        return {}
    now = settings["loss_scale"]
    usual = FACTOR if settings.get("precision") == "mixed" else 1.0
    return {"loss_scale": FACTOR} if (usual if now is None else float(now)) < FACTOR else {}


MITIGATION = Mitigation("scale the loss", frozenset({"gradient-underflow", "underflow"}), change, price=2)
