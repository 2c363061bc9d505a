"""Seeded designs with a prescribed condition number.

The design is U diag(s) V^T with U and V from the QR factorisations of Gaussian matrices
(Haar distributed up to signs: Mezzadri, Notices of the AMS 54, 2007) and singular values
spaced evenly in the logarithm from sqrt(n) to sqrt(n) / condition (mode 3 of LAPACK's test
matrices, dlatms). With condition 1 every feature has mean square 1. U, V, the weights and
the noise come from streams of their own, so changing the condition changes nothing else.
"""

from __future__ import annotations

import numpy as np

from ..configuration import Configuration
from . import CLASSES, REGRESSION, Data, Refused, Source, stream


class Synthetic(Source):
    name = "synthetic"
    about = "synthetic, a seeded design with the settings condition, rows, columns and noise"

    def has(self, data: str) -> bool:
        return data == self.name

    def load(self, configuration: Configuration, kind: str) -> Data:
        settings = configuration.settings
        seed, condition = settings.get("seed"), float(settings.get("condition") or 1.0)
        n, d = int(settings.get("rows") or 200), int(settings.get("columns") or 5)
        if not (n >= d >= 1 and condition >= 1):
            raise Refused(
                f"a synthetic design needs rows >= columns >= 1 and condition >= 1, not {n}, {d}, {condition:g}"
            )
        U = np.linalg.qr(stream(seed, "design, left").standard_normal((n, d)))[0]
        V = np.linalg.qr(stream(seed, "design, right").standard_normal((d, d)))[0]
        X = np.sqrt(n) * (U * np.geomspace(1.0, 1.0 / condition, d)) @ V.T
        noise = stream(seed, "noise")
        if kind == CLASSES:
            k = int(settings.get("classes") or 3)
            scores = X @ stream(seed, "weights").standard_normal((d, k)) * 2.0
            return Data(X, (scores + noise.gumbel(size=(n, k))).argmax(1), self.name)
        signal = X @ stream(seed, "weights").standard_normal(d)
        if kind == REGRESSION:
            return Data(X, signal + float(settings.get("noise") or 0.1) * noise.standard_normal(n), self.name)
        return Data(X, (2.0 * signal + noise.logistic(size=n) > 0).astype(np.int64), self.name)


SOURCE = Synthetic()
