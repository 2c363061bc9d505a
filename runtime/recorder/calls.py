"""Recorded calls on disk: one JSON file and one .npz for each, in a tree that mirrors the project's.

``recordings/src/pkg/model.py/Model.fit/5be1c7.json`` is a call of `Model.fit`. The name
of the file is a digest of what kind of call it was (shapes, types, magnitudes), so that
several processes which record at once keep one call of each kind.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1


@dataclass(frozen=True)
class Call:
    """One recorded call.

    Attributes
    ----------
    file : Path
        The JSON file.
    qualname : str
    arguments : dict of str to Any
        Encoded, by parameter, in the order of the parameters.
    opaque : tuple of str
        Classes of what could not be kept.
    size : int
        Bytes of all values.
    module : str
        Name of the module when it was recorded.
    """

    file: Path
    qualname: str
    arguments: dict[str, Any]
    opaque: tuple[str, ...] = ()
    size: int = 0
    module: str = ""

    def arrays(self) -> dict[str, Any]:
        """The arrays of the call.

        Raises
        ------
        OSError, ValueError
        """
        beside = self.file.with_suffix(".npz")
        if not beside.exists():
            return {}
        with np.load(beside, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}


def write(folder: Path, digest: str, content: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Keep a call, each file in one piece: another process may read or write it."""
    folder.mkdir(parents=True, exist_ok=True)
    unique = folder / f".{digest}-{os.getpid()}"
    if arrays:
        with open(f"{unique}.npz", "wb") as stream:
            np.savez(stream, **arrays)
        os.replace(f"{unique}.npz", folder / f"{digest}.npz")
    with open(f"{unique}.json", "w", encoding="utf-8") as stream:
        json.dump({"format": FORMAT, **content}, stream, separators=(",", ":"))
    os.replace(f"{unique}.json", folder / f"{digest}.json")


def remove(folder: Path, digest: str) -> None:
    """Forget a call."""
    for suffix in (".json", ".npz"):
        try:
            os.remove(folder / f"{digest}{suffix}")
        except OSError:
            continue


def read(folder: Path) -> Iterator[Call]:
    """Calls in the folder of one function, the smallest first; what is no recording is passed over."""
    calls = []
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["format"] == FORMAT:
                calls.append(
                    Call(
                        file,
                        content["qualname"],
                        dict(content["arguments"]),
                        tuple(content["opaque"]),
                        content["size"],
                        content["module"],
                    )
                )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    yield from sorted(calls, key=lambda call: (len(call.opaque), call.size))


def folder_of(recordings: Path, path: str, qualname: str) -> Path | None:
    """Where the calls of a function are, if there are any.

    The project may lie elsewhere now than when it was recorded: the longest end of `path`
    that the recordings know counts. The calls of a nested function are those of the
    function around it.
    """
    parts = Path(path).parts
    for start in range(1, len(parts)):
        beside = recordings.joinpath(*parts[start:])
        if beside.is_dir():
            names = [part for part in qualname.split(".") if part != "<locals>"]
            for count in range(len(names), 0, -1):
                if (beside / ".".join(names[:count])).is_dir():
                    return beside / ".".join(names[:count])
            return None
    return None


def kind_of(arguments: dict[str, Any], arrays: dict[str, Any]) -> str:
    """Digest of what kind of call it is: equal for calls that differ only in the digits of their numbers."""
    kinds = [(name, _kind(tree, arrays)) for name, tree in arguments.items()]
    return hashlib.blake2b(repr(kinds).encode(), digest_size=6).hexdigest()


def _kind(tree: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(tree, list):
        return [_kind(item, arrays) for item in tree[:64]]
    if isinstance(tree, (int, float)) and not isinstance(tree, bool):
        return _magnitude(np.asarray(tree))
    if not isinstance(tree, dict):
        return tree
    tag, content = next(iter(tree.items()))
    if tag in ("array", "scalar", "tensor", "list of"):
        return (tag, *_magnitude(arrays[content]))
    if tag in ("generator", "random state"):
        return tag
    if tag == "object":
        return content, [(name, _kind(item, arrays)) for name, item in tree["state"].items()]
    return tag, _kind(content, arrays), tree.get("shape"), _kind(tree.get("items"), arrays)


def _magnitude(array: Any) -> tuple[Any, ...]:
    """Shape, type, decade, signs, and whether all is finite."""
    if array.dtype.kind not in "fiu" or not array.size:
        return array.shape, array.dtype.str
    with np.errstate(all="ignore"):
        numbers = np.asarray(array, dtype=np.float64)
        finite = numbers[np.isfinite(numbers)]
        largest = float(np.max(np.abs(finite), initial=0.0))
        decade = int(np.floor(np.log10(largest))) if largest > 0 else None
        negative = bool((finite < 0).any())
    return array.shape, array.dtype.str, decade, negative, finite.size == numbers.size
