"""Mean of a selection that can hold nothing.

The mean of an empty array is 0/0: nan, with a warning that scrolls by. In k-means a centre
that no point is nearest to becomes nan, every distance to it compares false, and it never
comes back. Two equal starting points, or one outlier too few, are enough.

Cure
----
Ask whether anything was selected: keep the old centre, draw a new one, or skip the
group. `np.nanmean` of the means afterwards hides it.

When it is fine
---------------
The labels were taken from the data (`for k in np.unique(labels)`), or a condition on the
selection (`if len(members)`, `if mask.any()`) stands before.

References
----------
C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, sec. 9.1.
"""

from collections.abc import Iterator

from numlint.facts.selection import emptiness
from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.rule import Example, Hazard

name = "mean-of-empty"
code = "NL202"
triggers = ("mean", "average", "median", "std", "var", "nanmean")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def centres(X, labels, k):
            return np.array([X[labels == j].mean(axis=0) for j in range(k)])
        """,
        call="centres(np.array([[0.0], [1.0]]), np.array([0, 0]), 2)",
    ),
    Example(
        """
        import numpy as np

        class KMeans:
            def __init__(self, k):
                self.k = k

            def assign(self, X, centres):
                clusters = [[] for _ in range(self.k)]
                for i, x in enumerate(X):
                    nearest = np.argmin(np.linalg.norm(x - centres, axis=1))
                    clusters[nearest].append(i)
                return clusters

            def update(self, X, clusters):
                centres = np.zeros((self.k, X.shape[1]))
                for j, members in enumerate(clusters):
                    centres[j] = np.mean(X[members], axis=0)
                return centres

            def fit(self, X):
                centres = X[: self.k]
                for _ in range(10):
                    clusters = self.assign(X, centres)
                    centres = self.update(X, clusters)
                return centres
        """,
        call="KMeans(2).fit(np.array([[0.0], [0.0], [1.0]]))",
    ),
    Example(
        """
        import torch

        def prototypes(features, labels, classes):
            rows = []
            for c in range(classes):
                member = labels == c
                rows.append(torch.mean(features[member], dim=0))
            return torch.stack(rows)
        """,
        call="prototypes(torch.ones(2, 1), torch.tensor([0, 0]), 2)",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def centres(X, labels, old):
            new = old.copy()
            for j in range(len(old)):
                members = X[labels == j]
                if len(members) > 0:
                    new[j] = members.mean(axis=0)
            return new
        """,
        call="centres(np.array([[0.0], [1.0]]), np.array([0, 0]), np.array([[0.5], [2.0]]))",
        note="a centre without members keeps its place",
    ),
    Example(
        """
        import numpy as np

        def centres(X, labels, old):
            new = old.copy()
            for j in range(len(old)):
                member = labels == j
                if not member.any():
                    continue
                new[j] = X[member].mean(axis=0)
            return new
        """,
        call="centres(np.array([[0.0], [1.0]]), np.array([0, 0]), np.array([[0.5], [2.0]]))",
        note="a centre without members is skipped",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def class_means(X, y):
            return {c: X[y == c].mean(axis=0) for c in np.unique(y)}
        """,
        call="np.array(list(class_means(np.array([[0.0], [1.0]]), np.array([0, 0])).values()))",
        note="each label was taken from the data: it selects something",
    ),
    Example(
        """
        import numpy as np

        def class_means(X, y):
            count = len(np.unique(y))
            return np.array([X[y == c].mean(axis=0) for c in range(count)])
        """,
        call="class_means(np.array([[0.0], [1.0]]), np.array([0, 1]))",
        note="as many labels as there are classes in the data",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("mean", "median", "std", "var"):
        found = emptiness(site.value.args[0], site.path, function.body.analysis.carried, function.arguments)
        if found is None or function.is_repaired(site.value):
            continue
        yield Hazard(
            site,
            f"the {site.value.op} of a selection that can hold nothing is nan",
            Confidence.LIKELY if found.sure else Confidence.POSSIBLE,
            origin=(found.selection,),
            rewrite=function.advice("ask whether anything is selected, and say what the result is when nothing is"),
        )
