"""Questions to a training function that are not runs: probes, and a policy for its precision.

Each is asked in the user's interpreter. A process that dies of a question costs that question
alone, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from numlint.lab.task import SettingError
from numlint.lab.workers import CREW, GRACE, Job, WorkerError
from numlint.runtime.lab.answers import UNASKED, Answer, Policy
from numlint.runtime.lab.configuration import Configuration


@dataclass(frozen=True)
class Interview:
    """A training function, and where it is asked.

    Attributes
    ----------
    configuration : Configuration
    python : str
    seconds : float
        For each question.
    options : dict
        Further options of the requests.
    folder : str
    """

    configuration: Configuration
    python: str
    seconds: float = 60.0
    options: dict[str, Any] = field(default_factory=dict)
    folder: str = "."

    def probes(self) -> dict[str, str]:
        """The questions that can be asked, by name."""
        found: dict[str, str] = self._asked({"op": "probes"})
        return found

    def answers(self, names: Sequence[str] = ()) -> Iterator[Answer]:
        """The answers, one after the other; all probes where none is named.

        Raises
        ------
        SettingError
            There is no such probe, or no such setting.
        """
        known = self.probes()
        for name in names:
            if name not in known:
                raise SettingError(f"there is no probe {name!r}; there are {', '.join(known)}")
        for name in names or known:
            try:
                found = self._asked({"op": "probe", "probes": [name]})
                yield from map(Answer.from_json, found)
            except WorkerError as error:
                remedy = "train under --task first, which says how far it gets"
                yield Answer(name, UNASKED, f"the process ended: {error}", remedy, question=known[name])

    def policy(self, form: str, tolerance: float) -> Policy:
        """Which parts of the model may run in a format.

        Raises
        ------
        SettingError
            The task yields no model that can be run so.
        WorkerError
        """
        return Policy.from_json(self._asked({"op": "policy", "format": form, "tolerance": tolerance}))

    def _asked(self, request: dict[str, Any]) -> Any:
        whole = {
            **request,
            "configuration": self.configuration.to_json(),
            "options": {"seconds": self.seconds, **self.options},
        }
        with CREW.lent(Job(self.configuration, self.python, folder=self.folder)) as worker:
            # A measurement that has begun is finished, and may take as long again.
            found = worker.ask(whole, 2 * self.seconds + GRACE + 30.0)
        if isinstance(found, dict) and "refused" in found:
            raise SettingError(str(found["refused"]))
        return found
