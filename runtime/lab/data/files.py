"""Tables of the user: .csv, .parquet and .npz files.

The column that the setting ``target`` names is the target, the last one where it names none;
the features are all other columns of numbers, and a column of text is read as codes 0, 1, ...
of its sorted values if it is the target, and left out otherwise. An .npz file holds an array
of columns by the name of the target, ``y`` where it names none, and the matrix ``X``, or its
two-dimensional array.
"""

from __future__ import annotations

import csv
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..configuration import Configuration
from . import Data, Refused, Source

ENDINGS = (".csv", ".parquet", ".npz")


class File(Source):
    name = "file"
    about = "a .csv, .parquet or .npz file"

    def has(self, data: str) -> bool:
        return data.lower().endswith(ENDINGS)

    def load(self, configuration: Configuration, kind: str) -> Data:
        path = str(configuration.settings["data"])
        target = str(configuration.settings.get("target") or "")
        if not os.path.isfile(path):
            raise Refused(f"there is no file {path}")
        if path.lower().endswith(".npz"):
            return arrays(path, target)
        return table(_csv(path) if path.lower().endswith(".csv") else _parquet(path), target, path)


def table(columns: Mapping[str, Any], target: str, path: str) -> Data:
    """Features and target of columns by name."""
    if not columns:
        raise Refused(f"{path} has no columns")
    chosen = target or list(columns)[-1]
    if chosen not in columns:
        raise Refused(f"{path} has no column {chosen!r}: {', '.join(columns)}")
    features = [item for name, item in columns.items() if name != chosen and item.dtype.kind in "fiub"]
    y = columns[chosen]
    if not features:
        raise Refused(f"{path} has no column of numbers besides {chosen!r}")
    X = np.column_stack([item.astype(np.float64) for item in features])
    if y.dtype.kind not in "fiub":
        y = np.unique(y.astype(str), return_inverse=True)[1]
    complete = np.isfinite(X).all(axis=1) & np.isfinite(y)
    if not complete.any():
        raise Refused(f"no row of {path} is complete")
    return Data(X[complete], y[complete], path)


def arrays(path: str, target: str) -> Data:
    """Features and target of an .npz file."""
    with np.load(path, allow_pickle=False) as stored:
        chosen = target or "y"
        matrices = [name for name in stored.files if stored[name].ndim == 2 and name != chosen]
        name = "X" if "X" in matrices else (matrices[0] if matrices else "")
        if chosen not in stored.files or not name:
            raise Refused(f"{path} needs a matrix X and an array {chosen}; it has {', '.join(stored.files)}")
        return Data(stored[name].astype(np.float64), stored[chosen].reshape(-1), path)


def _csv(path: str) -> dict[str, Any]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    if not rows:
        return {}
    short = next((number for number, row in enumerate(rows, 1) if len(row) != len(rows[0])), None)
    if short is not None:
        raise Refused(f"row {short} of {path} has {len(rows[short - 1])} fields, not {len(rows[0])}")
    return {name: _parsed([row[i] for row in rows[1:]]) for i, name in enumerate(rows[0])}


def _parsed(texts: list[str]) -> Any:
    """A column of numbers, empty fields as nan; else of texts."""
    try:
        values = np.array([float(text) if text.strip() else np.nan for text in texts])
    except ValueError:
        return np.array(texts)
    whole = np.isfinite(values).all() and (values == np.rint(values)).all() and (np.abs(values) < 2.0**53).all()
    return values.astype(np.int64) if whole else values


def _parquet(path: str) -> dict[str, Any]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise Refused(f"{path} needs pyarrow: {sys.executable} -m pip install pyarrow") from error
    stored = parquet.read_table(path)
    return {name: stored.column(name).to_numpy() for name in stored.column_names}


SOURCE = File()
