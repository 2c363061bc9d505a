"""What a rule is, and how packs of rules are loaded.

A rule is one module. Its docstring is the documentation page; its first line is
the summary. It defines

``name``, ``code``
    such as ``"naive-softmax"`` and ``"NL101"``; unique over all packs.
``triggers``
    names or symbols, one of which must occur in the code of a function for the rule to
    be worth running there; ``"for & break"`` asks for both.
``signature``
    one of `numlint.finding.SIGNATURES`.
``BAD``, ``GOOD``, ``LIMIT``
    evidence: lists of `Example`.
``check(function)``
    a generator of `Hazard` over a `numlint.function.Function`.

A pack is a package whose modules are walked; there is no registry to edit.
"""

from __future__ import annotations

import importlib
import pkgutil
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING

from numlint.finding import SIGNATURES, Confidence, Rewrite, Severity

if TYPE_CHECKING:
    from numlint.function import Function
    from numlint.graph.site import Site
    from numlint.graph.value import Value

BUILTIN_PACK = "numlint.rules"
FAMILIES = {
    "NL1": "exp, log and probabilities",
    "NL2": "division, roots and norms",
    "NL3": "cancellation",
    "NL4": "linear algebra",
    "NL5": "iteration and stopping",
    "NL6": "randomness and reproducibility",
    "NL7": "precision and dtype",
    "NL8": "gradients",
    "NL9": "training",
}


@dataclass(frozen=True)
class Example:
    """A piece of evidence: code that can be linted, run and rewritten.

    Attributes
    ----------
    code : str
        A module; it is dedented.
    call : str
        An expression over the names of `code` (and ``np``) that runs the example on
        the confirming input: the input on which a bad example fails, and on which a
        good or limit example survives.
    fixed : str
        The expected result of ``--fix --unsafe-fixes``; empty when there is no edit.
    note : str
        Why a good or limit example is safe.
    requires : str
        The framework that `call` needs besides numpy and scipy.
    signature : str
        How a bad example fails when it is run, where that is not how its finding says.
    """

    code: str
    call: str = ""
    fixed: str = ""
    note: str = ""
    requires: str = ""
    signature: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", textwrap.dedent(self.code).strip() + "\n")
        if self.fixed:
            object.__setattr__(self, "fixed", textwrap.dedent(self.fixed).strip() + "\n")


@dataclass(frozen=True)
class Hazard:
    """What a rule yields: a site, the message, and how sure it is.

    `origin` names values whose birthplaces are shown as the path of the danger;
    `severity`, `signature` override those of the rule. `explains` lists values whose
    own hazards are part of this one: the softmax explains its exp and its division,
    so that one mistake is reported once, by the rule that knows most about it.
    """

    site: Site
    message: str
    confidence: Confidence = Confidence.LIKELY
    threshold: str = ""
    origin: tuple[Value, ...] = ()
    rewrite: Rewrite | None = None
    severity: Severity | None = None
    signature: str = ""
    explains: tuple[Value, ...] = ()


Check = Callable[["Function"], Iterable[Hazard]]


@dataclass(frozen=True)
class Rule:
    """A loaded rule."""

    name: str
    code: str
    summary: str
    page: str
    triggers: frozenset[str]
    signature: str
    severity: Severity
    check: Check = field(repr=False)
    bad: tuple[Example, ...] = ()
    good: tuple[Example, ...] = ()
    limit: tuple[Example, ...] = ()
    module: str = ""

    @property
    def family(self) -> str:
        return FAMILIES.get(self.code[:3], "")

    @property
    def fixable(self) -> bool:
        return any(example.fixed for example in self.bad)


class RuleError(Exception):
    """A rule pack that cannot be loaded, with the reason and the remedy."""


def from_module(module: ModuleType) -> Rule:
    """Read a rule out of its module.

    Raises
    ------
    RuleError
        When a required name is missing or has a wrong value.
    """
    where = module.__name__
    missing = [name for name in ("name", "code", "triggers", "signature", "check") if not hasattr(module, name)]
    if missing:
        raise RuleError(f"{where}: a rule must define {', '.join(missing)}")
    if not module.__doc__:
        raise RuleError(f"{where}: a rule needs a docstring; it is the documentation page")
    if module.signature not in SIGNATURES:
        raise RuleError(f"{where}: unknown signature {module.signature!r}; one of {', '.join(SIGNATURES)}")
    page = textwrap.dedent(module.__doc__).strip()
    return Rule(
        name=module.name,
        code=module.code,
        summary=page.splitlines()[0],
        page=page,
        triggers=frozenset(module.triggers),
        signature=module.signature,
        severity=getattr(module, "severity", Severity.WARNING),
        check=module.check,
        bad=tuple(getattr(module, "BAD", ())),
        good=tuple(getattr(module, "GOOD", ())),
        limit=tuple(getattr(module, "LIMIT", ())),
        module=where,
    )


def _modules(pack: str) -> Iterator[ModuleType]:
    try:
        package = importlib.import_module(pack)
    except ImportError as error:
        raise RuleError(f"cannot import the rule pack {pack!r}: {error}; is it installed or on PYTHONPATH?") from error
    yield package
    if hasattr(package, "__path__"):
        for info in sorted(pkgutil.walk_packages(package.__path__, pack + "."), key=lambda item: item.name):
            yield importlib.import_module(info.name)


def load(packs: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Load the built-in pack and `packs`, sorted by code.

    Raises
    ------
    RuleError
        When a pack cannot be imported, a rule is malformed, or a name or code is taken twice.
    """
    rules: dict[str, Rule] = {}
    for pack in (BUILTIN_PACK, *packs):
        for module in _modules(pack):
            if not hasattr(module, "code") or not hasattr(module, "check"):
                continue
            rule = from_module(module)
            for key in (rule.name, rule.code):
                if key in rules:
                    raise RuleError(f"{rule.module}: {key} is already taken by {rules[key].module}")
                rules[key] = rule
    return tuple(sorted(set(rules.values()), key=lambda rule: rule.code))
