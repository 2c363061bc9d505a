"""What an input stands for, where the static side did not say: from the kind that ran and the name.

The domain follows from the kind: a probability lies in [0, 1], a variance above zero. A
failure outside the domain is no failure of the code.
"""

from __future__ import annotations

import math
import re

from ..target import SHAPES, Role
from .values import Kind

DOMAINS = {
    "probability": (0.0, 1.0),
    "simplex": (0.0, 1.0),
    "onehot": (0.0, 1.0),
    "cosine": (-1.0, 1.0),
    "positive": (5e-324, math.inf),
    "tolerance": (5e-324, math.inf),
    "nonnegative": (0.0, math.inf),
    "distance": (0.0, math.inf),
    "count": (0.0, math.inf),
    "label": (0.0, math.inf),
    "index": (0.0, math.inf),
    "groups": (0.0, math.inf),
    "size": (1.0, math.inf),
    "image": (0.0, 255.0),
}
NAMED = (
    (r"^(x|xs|data|features|samples|x_?train|x_?test|design|exog|instances|observations)$", "design"),
    (r"^(w|weights?|coef_?|beta|theta|params?|.*_weights?|bias|b)$", "weight"),
    (r"(logit|score|^z$|^a$|activation|energy)", "logit"),
    (
        r"(^|_)(var|variance|std|sigma2?|scale|width|bandwidth|lr|learning_rate|alpha|lam|lambda_?|nu|df|dof)(_|$)",
        "positive",
    ),
    (r"(^|_)(tol|tolerance|eps|epsilon|delta)(_|$)", "tolerance"),
)
"""Names that say what a real number stands for."""
REAL = ("", "any")
STRUCTURES = ("index", "groups", "count")


def role_of(path: str, kind: Kind, given: Role | None) -> Role:
    """What the static side says that an input stands for, unless the kind that ran has a structure of its own."""
    return given if given is not None and kind.role not in STRUCTURES else derived(path, kind)


def derived(path: str, kind: Kind) -> Role:
    """The role of an input that was given a value of this kind."""
    name, why = kind.role, f"runs with {kind.name}"
    if name in REAL:
        last = path.rpartition(".")[2].lower()
        for pattern, role in NAMED:
            if re.search(pattern, last) and (role != "design" or kind.ndim == 2):
                name, why = role, f"named {last}"
                break
    low, high = DOMAINS.get(name, (-math.inf, math.inf))
    return Role(name or "any", low, high, SHAPES[min(kind.ndim, 3) + 1], why)
