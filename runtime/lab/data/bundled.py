"""The data sets that come with scikit-learn: nothing is downloaded."""

from __future__ import annotations

import importlib
import sys

import numpy as np

from ..configuration import Configuration
from . import Data, Refused, Source

PREFIX = "sklearn:"
NAMES = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


class Bundled(Source):
    name = "sklearn"
    about = f"sklearn:NAME, one of {', '.join(NAMES)}"

    def has(self, data: str) -> bool:
        return data.startswith(PREFIX)

    def load(self, configuration: Configuration, kind: str) -> Data:
        wanted = str(configuration.settings["data"])
        name = wanted[len(PREFIX) :]
        if name not in NAMES:
            raise Refused(f"scikit-learn has no data set {name!r} of its own: {', '.join(NAMES)}")
        try:
            datasets = importlib.import_module("sklearn.datasets")
        except ImportError as error:
            raise Refused(f"{wanted} needs scikit-learn: {sys.executable} -m pip install scikit-learn") from error
        bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
        y = np.asarray(bunch.target)
        return Data(np.asarray(bunch.data, dtype=np.float64), y if y.ndim == 1 else y[:, 0], wanted)


SOURCE = Bundled()
