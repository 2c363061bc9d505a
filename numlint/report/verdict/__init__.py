"""What `numlint confirm` came to, in the formats that people and machines read.

As in the package above, each module is one format and defines ``name`` and ``render``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from numlint import report
from numlint.confirm.confirmation import Confirmation
from numlint.rule import Rule

__all__ = ["Format", "formats", "render"]


class Format(Protocol):
    """What a module of this package defines."""

    name: str

    def render(self, confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int) -> str:
        """The outcome as text; empty, or ended by a line end."""


def formats() -> tuple[str, ...]:
    """The names of the formats, sorted."""
    return report.formats(__path__)


def render(
    name: str, confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int = 1
) -> str:
    """Render what `numlint confirm` came to.

    Parameters
    ----------
    name : str
        One of `formats()`.
    confirmation : Confirmation
    rules : sequence of Rule
        The rules that were run; some formats describe them.
    color : bool
    width : int
        The columns that the reader has.
    detail : int
        0 for confirmed findings only, 2 for what was tried as well.

    Raises
    ------
    ValueError
        When there is no such format.
    """
    chosen = cast(Format, report.find(name, __path__, __name__))
    return chosen.render(confirmation, rules, color=color, width=width, detail=detail)
