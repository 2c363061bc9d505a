"""numlint: a static and runtime linter for the numerical stability of Python ML code."""

__version__ = "0.1.0"
