"""The loss computed from logits, without the exponentials and logarithms that leave the range of the format."""

from numlint.lab.mitigations import Mitigation
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import Run


def change(run: Run, task: Task) -> dict[str, Setting]:
    return {"loss": "stable"} if run.configuration.settings.get("loss") == "naive" else {}


MITIGATION = Mitigation(
    "use the stable loss", frozenset({"overflow", "nan", "log-of-zero", "underflow", "divergence"}), change, price=1
)
