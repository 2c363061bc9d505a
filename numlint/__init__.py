"""numlint: a static and runtime linter for the numerical stability of Python ML code."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`numlint.trace` needs numpy; importing numlint does not."""
    if name == "trace":
        from numlint.runtime.trace import trace

        return trace
    raise AttributeError(f"module 'numlint' has no attribute {name!r}")
