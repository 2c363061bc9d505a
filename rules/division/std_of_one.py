"""Deviation with n - 1 degrees of freedom of what may be a single element.

`torch.std` and `torch.var` divide by n - 1 unless told otherwise, and so do numpy's with
`ddof=1`: for one element that is 0/0, nan. An epsilon beside it does not help, because
nan + eps is nan. An episode of a single step is enough to make every weight nan.

Cure
----
`returns.std(unbiased=False)`, which is 0 for a single element and then meets the
epsilon; or skip the normalisation when there is one element only.

When it is fine
---------------
The tensor always holds a whole batch or a rollout of fixed length.

References
----------
pytorch.org, `torch.std`: correction (int), the difference between sample size and
degrees of freedom, defaults to Bessel's correction.
"""

import ast
from collections.abc import Iterator

from numlint.facts.selection import collected, tested
from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "std-of-one"
code = "NL204"
triggers = ("std", "var", "std_mean", "var_mean", "stdev")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def discounted(rewards, gamma):
            returns, total = [], 0.0
            for reward in reversed(rewards):
                total = reward + gamma * total
                returns.insert(0, total)
            returns = torch.tensor(returns)
            return (returns - returns.mean()) / (returns.std() + 1e-8)
        """,
        call="discounted([1.0], 0.99)",
        fixed="""
        import torch

        def discounted(rewards, gamma):
            returns, total = [], 0.0
            for reward in reversed(rewards):
                total = reward + gamma * total
                returns.insert(0, total)
            returns = torch.tensor(returns)
            return (returns - returns.mean()) / (returns.std(unbiased=False) + 1e-8)
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def scores(events):
            values = np.array([event ** 2 for event in events])
            return (values - values.mean()) / np.maximum(values.std(ddof=1), 1e-8)
        """,
        call="scores([3.0])",
        fixed="""
        import numpy as np

        def scores(events):
            values = np.array([event ** 2 for event in events])
            return (values - values.mean()) / np.maximum(values.std(ddof=0), 1e-8)
        """,
    ),
]
GOOD = [
    Example(
        """
        import torch

        def discounted(rewards, gamma):
            returns, total = [], 0.0
            for reward in reversed(rewards):
                total = reward + gamma * total
                returns.insert(0, total)
            returns = torch.tensor(returns)
            return (returns - returns.mean()) / (returns.std(unbiased=False) + 1e-8)
        """,
        call="discounted([1.0], 0.99)",
        note="divided by n: 0 for a single element, and the epsilon holds",
        requires="torch",
    ),
    Example(
        """
        import torch

        def discounted(rewards):
            returns = torch.tensor([2.0 * reward for reward in rewards])
            if len(returns) > 1:
                returns = (returns - returns.mean()) / (returns.std() + 1e-8)
            return returns
        """,
        call="discounted([1.0])",
        note="a single element is left as it is",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import torch

        def normalised(advantages):
            return (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        """,
        call="normalised(torch.arange(8.0))",
        note="a rollout of many steps: nothing says that it could be a single one",
        requires="torch",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("div"):
        for deviation in _deviations(site.value.args[1]):
            if not _is_unbiased(deviation) or function.zero_denominator(site.value.args[1], site) is not None:
                continue
            data = deviation.args[0]
            if not collected(data) or tested(data, site.path, sizes=True):
                continue
            yield Hazard(
                site,
                f"the {deviation.op} of a single element is nan here (n - 1 = 0), and the epsilon does not help",
                origin=(data,),
                rewrite=_rewrite(function, deviation),
            )


def _deviations(value: Value) -> Iterator[Value]:
    for part in value.walk(12):
        if part.op in ("std", "var"):
            yield part


def _is_unbiased(value: Value) -> bool:
    """Whether a deviation divides by n - 1: in torch unless told otherwise, in numpy if told."""
    if value.framework == "torch":
        biased = any(value.attr(option) is False for option in ("unbiased", "dtype", "axis"))
        return not biased and value.attr("ddof") != 0
    return bool(value.attr("ddof") == 1)


def _rewrite(function: Function, deviation: Value) -> Rewrite:
    node = next((site.node for site in function.sites("std", "var") if site.value is deviation), None)
    if not isinstance(node, ast.Call):
        return function.advice("divide by n instead of n - 1")
    text = function.text(node)
    option = "unbiased=False" if deviation.framework == "torch" else "ddof=0"
    given = next((keyword for keyword in node.keywords if keyword.arg in ("ddof", "unbiased", "correction")), None)
    if given is not None:
        new = text.replace(
            f"{given.arg}={function.text(given.value)}", option if given.arg != "correction" else "correction=0"
        )
    else:
        new = f"{text[:-1]}{', ' if node.args or node.keywords else ''}{option})"
    return function.rewrite(
        node,
        new,
        "divide by n: 0 for a single element",
        safety=Safety.UNSAFE,
        reason="the deviation of several elements changes",
    )
