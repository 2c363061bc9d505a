"""Have the chosen functions of a running program report their arguments.

When a module with chosen functions has been executed, its source is compiled once more
with ``__numlint_record__(name, locals())`` as the first statement of each of them, and
the code objects so made take the place of the functions' own: signatures, line numbers
and decorators stay. What runs as ``__main__`` is never imported; there a profile
function waits until the functions are defined, and is gone then. A function that has
shown enough gets its own code back. Nothing that fails here is seen by the program.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from ..instrument import code_of, outermost

RECORD = "__numlint_record__"
EXAMINED = 400
"""Calls of one function that are looked at."""
SECONDS = 1.0
"""Time that all calls of one function may cost together."""
PATIENCE = 1000
"""Calls within ``__main__`` after which a function that is not defined yet is given up."""


@dataclass
class Settings:
    """What to record, written by the host.

    Attributes
    ----------
    folder : str
        Where recordings go.
    targets : dict of str to dict
        By the real path of a file: ``{"file": path within the project, "functions": qualified names}``.
    calls : int
        Calls to keep of each function.
    limit : int
        Bytes of one call.
    """

    folder: str
    targets: dict[str, Any]
    calls: int = 8
    limit: int = 1 << 22


@dataclass
class Recorded:
    """One function that reports its calls, and what was kept of them: bytes by kind of call."""

    function: FunctionType
    original: CodeType
    qualname: str
    file: str
    module: str
    kept: dict[str, int] = field(default_factory=dict)
    examined: int = 0
    seconds: float = 0.0

    def stop(self) -> None:
        self.function.__code__ = self.original


class Recorder:
    """Receives the calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.recorded: dict[str, Recorded] = {}
        self._busy = threading.local()

    def __call__(self, key: str, arguments: dict[str, Any]) -> None:
        """Keep a call, when it is another kind than those before, or smaller."""
        if getattr(self._busy, "now", False):
            return  # an attribute that calls the function while it is being read
        self._busy.now = True
        begun = time.perf_counter()
        recorded = self.recorded[key]
        try:
            self._keep(recorded, arguments)
        except Exception as error:
            _say(error)
        finally:
            self._busy.now = False
            recorded.examined += 1
            recorded.seconds += time.perf_counter() - begun
            if recorded.examined >= EXAMINED or recorded.seconds > SECONDS:
                recorded.stop()

    def _keep(self, recorded: Recorded, arguments: dict[str, Any]) -> None:
        from . import calls
        from .values import Encoder, TooLarge

        encoder = Encoder(self.settings.limit)
        try:
            encoded = {name: encoder.encode(value) for name, value in arguments.items() if name != "__class__"}
        except TooLarge:
            return
        digest = calls.kind_of(encoded, encoder.arrays)
        size = self.settings.limit - encoder.left
        if digest in recorded.kept:
            return
        from pathlib import Path

        folder = Path(self.settings.folder, recorded.file, recorded.qualname)
        if len(recorded.kept) >= self.settings.calls:
            largest = max(recorded.kept, key=lambda name: recorded.kept[name])
            if size >= recorded.kept[largest]:
                return
            calls.remove(folder, largest)
            del recorded.kept[largest]
        content = {
            "qualname": recorded.qualname,
            "module": recorded.module,
            "arguments": encoded,
            "opaque": encoder.opaque,
            "size": size,
        }
        calls.write(folder, digest, content, encoder.arrays)
        recorded.kept[digest] = size

    def attach(self, module: ModuleType, path: str) -> bool:
        """Have the chosen functions of a module report; whether all of them are there."""
        target = self.settings.targets[path]
        wanted = {}
        complete = True
        for qualname in target["functions"]:
            function, name = outermost(module, qualname)
            complete &= function is not None
            if function is not None and os.path.realpath(function.__code__.co_filename) == path:
                wanted[f"{path}:{name}"] = function, name
        fresh = {key: found for key, found in wanted.items() if key not in self.recorded}
        if fresh:
            with open(path, "rb") as file:
                tree = ast.parse(importlib.util.decode_source(file.read()), path)
            for key, (function, _) in fresh.items():
                _report(tree, function.__code__, key)
            code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
            setattr(builtins, RECORD, self)
            for key, (function, name) in fresh.items():
                self._exchange(key, Recorded(function, function.__code__, name, target["file"], module.__name__), code)
        return complete

    def _exchange(self, key: str, recorded: Recorded, code: CodeType) -> None:
        changed = code_of(code, recorded.qualname, recorded.original.co_firstlineno)
        if changed is not None and changed.co_freevars == recorded.original.co_freevars:
            self.recorded[key] = recorded
            recorded.function.__code__ = changed


def _report(tree: ast.Module, code: CodeType, key: str) -> None:
    """Make the function of `code` report its arguments before anything else."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name != code.co_name:
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        if first == code.co_firstlineno:
            call = ast.parse(f"{RECORD}({key!r}, locals())").body[0]
            docstring = ast.get_docstring(node, clean=False) is not None
            for part in ast.walk(call):
                ast.copy_location(part, node)
            node.body.insert(int(docstring), call)


class Finder:
    """Stands before the other finders and watches the modules with chosen functions being loaded."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                self._watch(spec)
                return spec
        return None

    def _watch(self, spec: Any) -> None:
        try:
            path = os.path.realpath(spec.origin) if spec.has_location else ""
            if path in self.recorder.settings.targets:
                spec.loader.exec_module = self._recorded(spec.loader.exec_module, path)
        except Exception as error:  # a loader that cannot be changed: the module is not recorded
            _say(error)

    def _recorded(self, execute: Callable[[ModuleType], Any], path: str) -> Callable[[ModuleType], Any]:
        def exec_module(module: ModuleType) -> Any:
            result = execute(module)
            try:
                self.recorder.attach(module, path)
            except Exception as error:
                _say(error)
            return result

        return exec_module


def _await_main(recorder: Recorder) -> None:
    """Attach to what runs as ``__main__``, at the first call after its functions are defined."""
    main = sys.modules["__main__"]
    calls = itertools.count()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_globals is not vars(main) or frame.f_code.co_name == "<module>":
            return
        try:
            path = os.path.realpath(frame.f_code.co_filename)
            if path not in recorder.settings.targets or recorder.attach(main, path) or next(calls) > PATIENCE:
                sys.setprofile(None)
            # This call has begun with its own code, and reports through its frame.
            for key, recorded in recorder.recorded.items():
                if recorded.original is frame.f_code:
                    recorder(key, frame.f_locals)
        except Exception as error:
            sys.setprofile(None)
            _say(error)

    sys.setprofile(watch)


def _runs_target(settings: Settings) -> bool:
    """Whether one of the files may be what runs as ``__main__``."""
    arguments = getattr(sys, "orig_argv", None) or sys.argv
    if "-m" in arguments[:8]:
        stems = {os.path.splitext(os.path.basename(path))[0] for path in settings.targets}
        named = arguments[arguments.index("-m") + 1 :][:1]
        return not named or named[0].rpartition(".")[2] in stems or "__main__" in stems
    return any(os.path.realpath(item) in settings.targets for item in [*sys.argv[:1], *arguments[:8]])


def start(file: str) -> None:
    """Start to record, as the settings in `file` say."""
    with open(file, encoding="utf-8") as stream:
        settings = Settings(**json.load(stream))
    recorder = Recorder(settings)
    sys.meta_path.insert(0, Finder(recorder))
    if _runs_target(settings):
        _await_main(recorder)


def _say(error: BaseException) -> None:
    if os.environ.get("NUMLINT_RECORD_DEBUG"):
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
