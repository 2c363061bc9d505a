"""Call a function of the user's module as it is, and return what it returns: the simplest operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from . import protocol


def call(payload: dict[str, Any], emit: Callable[[Any], None]) -> dict[str, Any]:
    """Call the target with the encoded ``payload["arguments"]``, a dictionary.

    Raises
    ------
    Exception
        Whatever the function raises.
    """
    from . import loading
    from .target import Target

    target = Target.from_json(payload["target"])
    loaded = payload.get("loaded") or loading.load(target)
    emit({"phase": f"calling {target.qualname}"})
    function: Any = reduce(getattr, target.qualname.split("."), loaded.module)
    returned = function(**protocol.decode(payload.get("arguments", {})))
    return {"status": "returned", "value": protocol.encode(returned), "literal": protocol.literal(returned)}
