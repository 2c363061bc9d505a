"""The rules of a run: the built-in pack, installed packs, and those that the configuration names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from numlint import rule
from numlint.config import Config, ConfigError
from numlint.rule import Rule, RuleError
from numlint.suppress import UNUSED

GROUP = "numlint.rules"
"""The entry point group by which an installed package declares a pack of rules."""


def load(config: Config) -> tuple[Rule, ...]:
    """Load every rule that can run, sorted by code.

    Raises
    ------
    ConfigError
        When a pack cannot be imported or a rule in it is malformed.
    """
    if config.rule_packs and config.root not in sys.path:
        # Last, so that a folder of the project cannot stand in for what numlint itself imports.
        sys.path.append(config.root)
    packs = [pack for pack in dict.fromkeys((*installed(), *config.rule_packs)) if pack != rule.BUILTIN_PACK]
    try:
        return (UNUSED, *rule.load(packs))
    except RuleError as error:
        raise ConfigError(str(error), config.file) from None
    except Exception as error:  # whatever the modules of a pack do when they are imported
        where = _place(error)
        raise ConfigError(f"a rule pack fails when it is imported: {error!r}{where}", config.file) from error


def installed() -> list[str]:
    """Give the packs that installed packages declare.

    Asking `importlib.metadata` takes longer than checking a file, so it is only asked
    when some package mentions the group.
    """
    if not any(map(_mentions_group, sys.path)):
        return []
    from importlib.metadata import entry_points

    return sorted({entry.module for entry in entry_points(group=GROUP)})


def _mentions_group(folder: str) -> bool:
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    return any(_contains(os.path.join(folder, name, "entry_points.txt"), f"[{GROUP}]".encode()) for name in names)


def _contains(file: str, text: bytes) -> bool:
    try:
        with open(file, "rb", buffering=0) as stream:
            return text in stream.read()
    except OSError:
        return False


def _place(error: Exception) -> str:
    import traceback

    if isinstance(error, SyntaxError):
        return f" ({error.filename}:{error.lineno})"
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
