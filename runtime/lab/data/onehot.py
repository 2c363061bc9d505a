"""The one-hot story: an intercept and three groups of dummies, each of which sums to the intercept.

The rank is three below the number of columns, so X^T X is singular in exact arithmetic and
its computed inverse is made of rounding errors. The same data as `fixtures/onehot_ols` with seed 0.
"""

from __future__ import annotations

import numpy as np

from ..configuration import Configuration
from . import Data, Source

LEVELS = (24, 12, 7)
CUSTOMERS, VISITS = 80, 3
STORY = 8
"""The seed of the fixture."""


class OneHot(Source):
    name = "onehot"
    about = "onehot, collinear dummies"

    def has(self, data: str) -> bool:
        return data == self.name

    def load(self, configuration: Configuration, kind: str) -> Data:
        rng = np.random.default_rng(STORY + int(configuration.settings.get("seed") or 0))
        groups = [np.eye(levels)[rng.integers(0, levels, CUSTOMERS)] for levels in LEVELS]
        X = np.repeat(np.hstack([np.ones((CUSTOMERS, 1)), *groups]), VISITS, axis=0)
        effects = rng.normal(size=X.shape[1])
        return Data(X, (X * effects).sum(axis=1) + 0.1 * rng.normal(size=len(X)), self.name)


SOURCE = OneHot()
