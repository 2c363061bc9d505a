"""What is to be confirmed: one finding, with all that the static side knows of it.

The host writes a target as JSON; everything here is plain data, so that both sides
share one definition. Lines and columns count from 1, columns in characters, ends are
exclusive, as in a finding.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

KINDS = (
    "any",  # nothing is known: real numbers
    "logit",  # any real number; the natural scale is 10
    "probability",  # [0, 1]
    "simplex",  # rows of probabilities that sum to 1
    "positive",  # > 0: variances, scales, widths, learning rates
    "nonnegative",  # >= 0
    "count",  # integers >= 0
    "size",  # a number of things: a positive integer
    "label",  # class labels 0, 1, ...
    "index",  # numbers of rows, each below the number of rows
    "groups",  # lists of numbers of rows: the members of each group
    "onehot",  # rows of one 1
    "design",  # a matrix of samples by features
    "spd",  # symmetric positive definite matrix
    "distance",  # matrix of pairwise distances
    "angle",
    "cosine",  # [-1, 1]
    "weight",  # parameters of a model
    "image",  # unsigned 8-bit integers
    "tolerance",  # a small positive number
)
SHAPES = ("", "scalar", "vector", "matrix", "tensor")


@dataclass(frozen=True)
class Role:
    """What one input of a function stands for; it bounds the domain in which a failure counts.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    low, high : float
        The closed domain; infinite where unbounded.
    shape : str
        One of `SHAPES`; empty when unknown.
    why : str
        What the role was read from: ``"argument of np.log"``, ``"named X, used as X.T @ X"``.
    """

    kind: str = "any"
    low: float = -math.inf
    high: float = math.inf
    shape: str = ""
    why: str = ""


@dataclass(frozen=True)
class Region:
    """A region of source: lines and columns from 1, end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Candidate:
    """A rewrite to be verified.

    Attributes
    ----------
    summary : str
    source : str
        The whole module after the rewrite (imports included).
    region : Region
        Where the rewritten expression stands in `source`.
    safety : str
        ``"safe"``, ``"unsafe"`` or ``"display"``.
    text : str
        The replacement alone, to be shown.
    """

    summary: str
    source: str
    region: Region
    safety: str = "safe"
    text: str = ""


@dataclass(frozen=True)
class Target:
    """One finding to be confirmed.

    Attributes
    ----------
    path : str
        Absolute path of the file.
    module, root : str
        Dotted name, and the directory on ``sys.path`` that it is imported from.
    qualname : str
        ``"Model.predict"``, ``"outer.<locals>.inner"``; empty for module-level code.
    region : Region
        The flagged expression or statement.
    rule, code, message, signature, framework, confidence, fingerprint : str
        From the finding; `signature` is the failure that the rule declares.
    lines : tuple of int
        All lines that the finding is about: those of the region, and those through which the dangerous value came.
    roles : dict of str to Role
        By local name at the flagged line: parameters, locals, ``"self.weights"``.
    candidates : tuple of Candidate
    recordings : tuple of str
        Directories with recorded calls of this function.
    declared : str
        File of inputs declared by the user; empty when there is none.
    """

    path: str
    module: str
    root: str
    qualname: str
    region: Region
    rule: str
    code: str = ""
    message: str = ""
    signature: str = ""
    framework: str = "numpy"
    confidence: str = "likely"
    fingerprint: str = ""
    lines: tuple[int, ...] = ()
    roles: dict[str, Role] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    recordings: tuple[str, ...] = ()
    declared: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Target:
        known = {item.name for item in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["region"] = Region(**values["region"])
        values["roles"] = {name: Role(**role) for name, role in values.get("roles", {}).items()}
        values["candidates"] = tuple(
            Candidate(**{**item, "region": Region(**item["region"])}) for item in values.get("candidates", ())
        )
        values["lines"] = tuple(values.get("lines", ()))
        values["recordings"] = tuple(values.get("recordings", ()))
        return cls(**values)
