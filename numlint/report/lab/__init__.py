"""What `numlint lab` came to, in the formats that people and machines read.

As in the package above, each module is one format and defines ``name`` and ``render``.
"""

from __future__ import annotations

from typing import Protocol, cast

from numlint import report
from numlint.lab.conclusion import Conclusion

__all__ = ["Format", "formats", "render"]


class Format(Protocol):
    """What a module of this package defines."""

    name: str

    def render(self, conclusion: Conclusion, *, color: bool, width: int, detail: int) -> str:
        """The conclusion as text, ended by a line end."""


def formats() -> tuple[str, ...]:
    """The names of the formats, sorted."""
    return report.formats(__path__)


def render(name: str, conclusion: Conclusion, *, color: bool, width: int, detail: int = 1) -> str:
    """Render what `numlint lab` came to.

    Parameters
    ----------
    name : str
        One of `formats()`.
    conclusion : Conclusion
    color : bool
    width : int
        The columns that the reader has.
    detail : int
        0 for the verdict alone, 2 for every run and every trial.

    Raises
    ------
    ValueError
        When there is no such format.
    """
    chosen = cast(Format, report.find(name, __path__, __name__))
    return chosen.render(conclusion, color=color, width=width, detail=detail)
