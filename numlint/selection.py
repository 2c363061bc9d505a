"""Which rules run where.

A selector is a rule's name (`naive-softmax`), its code (`NL101`), the beginning of
a code (`NL1`) or `all`. Selectors are applied in layers: the configuration, the
command line, then the settings of the path. Within a layer a narrow selector wins
over a wide one, whatever the order: `select = ["NL101"]` with `ignore = ["NL1"]`
runs NL101 and nothing else of its family.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from numlint.finding import Confidence
from numlint.patterns import matches
from numlint.rule import Rule
from numlint.suspect import Suspects

EVERYTHING = "all"
_PREFIX = re.compile(r"[A-Z]+\d*")


class UnknownSelector(ValueError):
    """A selector that names no rule."""

    def __init__(self, selector: str, suggestion: str) -> None:
        hint = f"; did you mean {suggestion!r}?" if suggestion else "; `numlint rules` lists them all"
        super().__init__(f"no rule has the name or code {selector!r}{hint}")
        self.selector = selector
        self.suggestion = suggestion


def names(selector: str, rule: Rule) -> bool:
    """Whether the selector names the rule."""
    if selector.lower() == EVERYTHING or is_exact(selector, rule):
        return True
    # The letters must be whole: NL is no prefix of a pack whose codes begin with NLX.
    code = selector.upper()
    return bool(_PREFIX.fullmatch(code)) and rule.code.startswith(code) and rule.code[len(code) :].isdigit()


def is_exact(selector: str, rule: Rule) -> bool:
    """Whether the selector is the rule's own name or code."""
    return selector.lower() == rule.name or selector.upper() == rule.code


def suggest(selector: str, rules: Iterable[Rule]) -> str:
    """Give the rule name or code that was probably meant; nothing when none is close."""
    import difflib

    known = {key.lower(): key for rule in rules for key in (rule.name, rule.code)}
    close = difflib.get_close_matches(selector.lower().replace("_", "-"), known, n=1, cutoff=0.6)
    return known[close[0]] if close else ""


def resolve(selector: str, rules: Sequence[Rule]) -> frozenset[str]:
    """Give the names of the rules that a selector names.

    Raises
    ------
    UnknownSelector
        When there are none.
    """
    found = frozenset(rule.name for rule in rules if names(selector, rule))
    if not found and selector.lower() != EVERYTHING:
        raise UnknownSelector(selector, suggest(selector, rules))
    return found


@dataclass(frozen=True)
class Layer:
    """What one source of settings says about rules; `select` is None where it says nothing."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def selectors(self) -> tuple[str, ...]:
        return (self.select or ()) + self.extend_select + self.ignore

    def apply(self, before: frozenset[str], rules: Sequence[Rule]) -> frozenset[str]:
        """Give the names that are enabled after this layer."""
        enabled = set(before if self.select is None else ())
        steps = [(_width(selector, rules), False, selector) for selector in (self.select or ()) + self.extend_select]
        steps += [(_width(selector, rules), True, selector) for selector in self.ignore]
        for _, remove, selector in sorted(steps):
            (enabled.difference_update if remove else enabled.update)(resolve(selector, rules))
        return frozenset(enabled)


def _width(selector: str, rules: Sequence[Rule]) -> int:
    """Order selectors from wide to narrow: everything, prefixes by their length, single rules."""
    if any(is_exact(selector, rule) for rule in rules):
        return 100
    return 0 if selector.lower() == EVERYTHING else len(selector)


@dataclass(frozen=True)
class PathSettings:
    """Settings of the files that a pattern matches."""

    pattern: str
    layer: Layer = field(default_factory=Layer)
    min_confidence: Confidence | None = None


@dataclass(frozen=True)
class Chosen:
    """What holds for a file."""

    rules: tuple[Rule, ...]
    min_confidence: Confidence

    @cached_property
    def numeric(self) -> tuple[Rule, ...]:
        """The rules that look at what is computed; those that look at comments have no signature."""
        return tuple(rule for rule in self.rules if rule.signature)

    @cached_property
    def suspects(self) -> Suspects:
        """The sieve for these rules."""
        return Suspects(self.numeric)


class Selection:
    """Answers which rules run on a path.

    Parameters
    ----------
    rules : sequence of Rule
        All that are loaded.
    layers : sequence of Layer
        The configuration and the command line, in this order.
    per_path : sequence of PathSettings
        Later ones win.
    min_confidence : Confidence
        Where no path setting says otherwise.
    override : Confidence, optional
        What the command line says; it holds everywhere.

    Raises
    ------
    UnknownSelector
        When a selector names no rule.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        layers: Sequence[Layer] = (),
        per_path: Sequence[PathSettings] = (),
        min_confidence: Confidence = Confidence.LIKELY,
        override: Confidence | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.per_path = tuple(per_path)
        self.min_confidence = min_confidence
        self.override = override
        self._enabled = frozenset(rule.name for rule in rules)
        for layer in layers:
            self._enabled = layer.apply(self._enabled, rules)
        for settings in per_path:
            settings.layer.apply(self._enabled, rules)
        self._chosen: dict[tuple[int, ...], Chosen] = {}

    def at(self, path: str) -> Chosen:
        """Give what holds for a path, relative to the folder of the configuration.

        Paths with the same settings share one object, so that what is derived from
        its rules can be kept.
        """
        key = tuple(index for index, settings in enumerate(self.per_path) if matches([settings.pattern], path))
        if key not in self._chosen:
            enabled, confidence = self._enabled, self.min_confidence
            for settings in (self.per_path[index] for index in key):
                enabled = settings.layer.apply(enabled, self.rules)
                confidence = confidence if settings.min_confidence is None else settings.min_confidence
            rules = tuple(rule for rule in self.rules if rule.name in enabled)
            self._chosen[key] = Chosen(rules, self.override or confidence)
        return self._chosen[key]
