"""Put the observed code in place of the functions that were loaded.

The whole file is compiled with the flagged expression wrapped; the outermost function
that holds it is found among the live function objects by file, name and first line, so
decorated, nested, redefined and conditionally defined functions are all met.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import CodeType, FunctionType
from typing import Any

from .harness import Harness
from .instrument import OBSERVE, Observer, compiled, exchanged, observing, outermost
from .loading import Loaded
from .target import Region, Target

OPTIMIZED = 0x1
"""Flag of the code of functions; the bodies of classes and modules lack it."""


def observed_function(code: CodeType) -> CodeType | None:
    """The outermost function in the code of a module whose code, or code within it, is observed."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & OPTIMIZED:
                if _observes(constant):
                    return constant
            else:
                found = observed_function(constant)
                if found is not None:
                    return found
    return None


def _observes(code: CodeType) -> bool:
    return OBSERVE in code.co_names or any(_observes(item) for item in code.co_consts if isinstance(item, CodeType))


def functions_at(loaded: Loaded, qualname: str, code: CodeType) -> list[FunctionType]:
    """Live functions that were compiled from the place in the file where `code` stands."""

    def same(function: Any) -> bool:
        own = function.__code__
        return bool(
            own.co_filename == loaded.path
            and own.co_name == code.co_name
            and own.co_firstlineno == code.co_firstlineno
            and function.__globals__ is vars(loaded.module)
        )

    function, _ = outermost(loaded.module, qualname) if qualname else (None, "")
    if function is not None and same(function):
        return [function]
    return [item for item in gc.get_objects() if type(item) is FunctionType and same(item)]


def install(loaded: Loaded, target: Target) -> tuple[Observer, list[FunctionType]]:
    """Observe the flagged expression in every live function that holds it; none for module-level code."""
    observer = Observer()
    vars(loaded.module)[OBSERVE] = observer
    code = observed_function(compiled(loaded.source, loaded.path, (observing(target.region, loaded.source),)))
    if code is None:
        return observer, []
    functions = functions_at(loaded, target.qualname, code)
    for function in functions:
        if len(function.__code__.co_freevars) == len(code.co_freevars):
            function.__code__ = code
    return observer, functions


@contextmanager
def rewritten(
    harness: Harness, loaded: Loaded, functions: list[FunctionType], source: str, region: Region
) -> Iterator[Harness | None]:
    """Run the ``with`` block with the functions of another text of the module in place.

    Raises
    ------
    ImportError
        When the text needs what this interpreter does not have.
    """
    try:
        code = observed_function(compiled(source, loaded.path, (observing(region, source),)))
        names = imports(source, loaded)
    except ImportError:
        raise
    except Exception:
        yield None
        return
    if code is None or not functions or code.co_name != functions[0].__code__.co_name:
        yield None
        return
    with ExitStack() as stack:
        fits = [stack.enter_context(exchanged(function, code, names)) for function in functions]
        yield harness if all(fits) else None


def imports(source: str, loaded: Loaded) -> dict[str, Any]:
    """Names that the imports of a rewritten text bring in, which the module has not.

    Raises
    ------
    ImportError
    """
    known = {ast.dump(node) for node in loaded.tree.body}
    names: dict[str, Any] = {"__name__": loaded.module.__name__, "__package__": loaded.module.__package__}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) and ast.dump(node) not in known:
            exec(compile(ast.Module([node], []), loaded.path, "exec"), names)
    return {name: value for name, value in names.items() if not name.startswith("__")}
