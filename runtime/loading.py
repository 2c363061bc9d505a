"""Bring the target's module into this interpreter, whatever state its project is in.

The module is imported by its dotted name. When that fails, what is missing is replaced
step by step: a module of the same project is looked for in the directories above the
file, any other is stubbed; and when the package around it cannot be imported, the file
is loaded alone. Scripts that read files or train at import are loaded by their
definitions only: top-level statements run one by one, those that fail are dropped.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .containment import Interrupted, deadline
from .harness import Silence
from .stubs import FINDER, Stub, StubModule, restore_old_names, stub_attribute
from .target import Target

ENVIRONMENT = {"MPLBACKEND": "Agg", "TQDM_DISABLE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
ATTEMPTS = 40
PARENTS = 5


@dataclass
class Loaded:
    """The module of a target.

    Attributes
    ----------
    module : module
    source : str
    tree : ast.Module
    path : str
    stubbed : list of str
        Modules and names that had to be replaced by stubs.
    problems : list of str
        What could not be loaded, in words.
    whole : bool
        Whether the module ran to its end; else only its definitions are there.
    """

    module: ModuleType
    source: str
    tree: ast.Module
    path: str
    stubbed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    whole: bool = True


class LoadError(Exception):
    """Nothing of the module could be loaded."""


def load(target: Target, seconds: float = 5.0) -> Loaded:
    """Load the module of `target`.

    Parameters
    ----------
    target : Target
    seconds : float
        For the module's own top-level code, without that of the libraries which it imports.

    Raises
    ------
    LoadError
        The file cannot be read or parsed by this interpreter.
    """
    source, tree = _parsed(target.path)
    prepare_environment(target)
    loading = _Loading(target, source, tree, seconds)
    with _silenced(target.path):
        loading.import_libraries()
        module = loading.imported() or loading.alone() or loading.definitions()
        loading.forget_stubs(module)
    return Loaded(module, source, tree, target.path, loading.stubbed, loading.problems, loading.whole)


def _parsed(path: str) -> tuple[str, ast.Module]:
    try:
        with open(path, "rb") as file:
            source = importlib.util.decode_source(file.read())
        return source, ast.parse(source, path)
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path} cannot be read: {error}") from None
    except (SyntaxError, ValueError) as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise LoadError(f"Python {version} does not parse it: {error}") from None


def prepare_environment(target: Target) -> None:
    """No windows, no progress bars, no byte code; the project is importable."""
    os.environ.update(ENVIRONMENT)
    sys.dont_write_bytecode = True
    for directory in (str(Path(target.path).parent), target.root):
        if directory and directory not in sys.path:
            sys.path.insert(0, directory)
    restore_old_names()


@contextmanager
def _silenced(path: str) -> Iterator[None]:
    """Nothing is printed, nobody is asked, and no argument of ours is parsed."""

    def refuse(*_: Any) -> str:
        raise EOFError("the code reads from the terminal")

    arguments, ask = sys.argv, builtins.input
    sys.argv, builtins.input = [path], refuse
    try:
        with redirect_stdout(Silence()), redirect_stderr(Silence()):
            yield
    finally:
        sys.argv, builtins.input = arguments, ask


@dataclass
class _Loading:
    target: Target
    source: str
    tree: ast.Module
    seconds: float
    stubbed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    whole: bool = True

    def import_libraries(self) -> None:
        """The libraries first, outside the deadline of the module: torch alone takes seconds."""
        for node in self.tree.body:
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                if name.split(".")[0] not in sys.modules and not self._local(name.split(".")[0]):
                    try:
                        importlib.import_module(name)
                    except (Exception, SystemExit):  # met again when the module itself is imported
                        continue
        restore_old_names()

    def imported(self) -> ModuleType | None:
        """The module under its dotted name."""
        name = self.target.module
        if not name or name == "__main__":
            return None
        module: ModuleType | None = sys.modules.get(name)
        if module is not None and not _is_file(module, self.target.path):
            return None
        if module is None:
            module = self._attempts(lambda: importlib.import_module(name))
        if module is not None and not _is_file(module, self.target.path):
            self.problems.append(f"{name} is another file: {getattr(module, '__file__', None)}")
            return None
        return module

    def alone(self) -> ModuleType | None:
        """The file without its package's ``__init__``, under the package's name, so that relative imports work."""
        name = self.target.module or Path(self.target.path).stem
        parent = name.rpartition(".")[0]
        if parent:
            self._bare_packages(parent)
        elif self._relative():
            parent = Path(self.target.path).parent.name
            sys.path.append(str(Path(self.target.path).parent.parent))
            name = f"{parent}.{name}"
            self._bare_packages(parent)

        def execute() -> ModuleType:
            spec = importlib.util.spec_from_file_location(name, self.target.path)
            if spec is None or spec.loader is None:
                raise ImportError(f"{self.target.path} cannot be loaded")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module

        module: ModuleType | None = self._attempts(execute)
        return module

    def _relative(self) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(self.tree))

    def _bare_packages(self, name: str) -> None:
        """Packages without their ``__init__``: a namespace with the right ``__path__``."""
        parts = name.split(".")
        directory = Path(self.target.path).parent
        for count in range(len(parts), 0, -1):
            package = ".".join(parts[:count])
            if package not in sys.modules:
                module = ModuleType(package)
                module.__path__ = [str(directory)]
                sys.modules[package] = module
                self.problems.append(f"{package}/__init__.py was left out")
            directory = directory.parent

    def definitions(self) -> ModuleType:
        """What can be defined: statements one by one, without those that only do something."""
        self.whole = False
        name = self.target.module or Path(self.target.path).stem
        module = ModuleType(name)
        module.__file__ = self.target.path
        module.__package__ = name.rpartition(".")[0]
        sys.modules[name] = module
        until = _Budget(self.seconds)
        for node in self.tree.body:
            if _acts(node):
                continue
            code = compile(ast.Module([node], []), self.target.path, "exec", self._future_flags(), dont_inherit=True)

            def execute(code: Any = code) -> ModuleType:
                exec(code, vars(module))
                return module

            self._attempts(execute, until.slice(), node.lineno)
        return module

    def forget_stubs(self, module: ModuleType) -> None:
        """Variables that were computed from stubs: without them the code asks for a value."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                for item in (leaf for target in node.targets for leaf in ast.walk(target)):
                    if isinstance(item, ast.Name) and isinstance(vars(module).get(item.id), Stub):
                        delattr(module, item.id)

    def _future_flags(self) -> int:
        """Compiler flags of the file's ``from __future__`` imports."""
        import __future__

        flags = 0
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for alias in node.names:
                    flags |= getattr(__future__, alias.name).compiler_flag
        return flags

    def _attempts(self, action: Any, seconds: float = 0.0, line: int = 0) -> Any:
        """`action`, again and again while what it misses can be supplied."""
        for _ in range(ATTEMPTS):
            try:
                with deadline(seconds or self.seconds):
                    return action()
            except ImportError as error:
                if not self._supplied(error):
                    self._report(error, line)
                    return None
            except Interrupted:
                self._report(TimeoutError("its top-level code does not finish"), line)
                return None
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                self._report(error, line)
                return None
        return None

    def _report(self, error: BaseException, line: int) -> None:
        where = f"line {line}" if line else self.target.module or Path(self.target.path).name
        self.problems.append(f"{where}: {type(error).__name__}: {str(error)[:160]}")

    def _supplied(self, error: ImportError) -> bool:
        """Whether what was missing is there now: from the project, or as a stub."""
        missing = error.name or ""
        named = re.search(r"cannot import name '(\w+)'", str(error))
        if named and missing:
            owner = sys.modules.get(missing)
            if missing == self.target.module:
                return False
            if owner is None:
                return FINDER.add(f"{missing}.{named.group(1)}")
            self.stubbed.append(f"{missing}.{named.group(1)}")
            if hasattr(owner, "__path__") and FINDER.add(f"{missing}.{named.group(1)}"):
                return True
            return stub_attribute(owner, named.group(1))
        if not missing or missing == self.target.module:
            return False
        if self._local(missing.split(".")[0]):
            return True
        if not FINDER.add(missing):
            return False
        owner_name, _, last = missing.rpartition(".")
        owner = sys.modules.get(owner_name)
        if owner is not None and not hasattr(owner, "__path__"):
            setattr(owner, last, StubModule(missing))  # "x is not a package": a module where a package was
            sys.modules[missing] = getattr(owner, last)
        self.stubbed.append(missing)
        restore_old_names()
        return True

    def _local(self, name: str) -> bool:
        """Find a module of the same project in the directories above the file; True when the path has grown."""
        for directory in list(Path(self.target.path).parents)[:PARENTS]:
            there = str(directory) in sys.path
            if (directory / name / "__init__.py").exists() or (directory / f"{name}.py").exists():
                if not there:
                    sys.path.append(str(directory))
                    importlib.invalidate_caches()
                return not there
            if (directory / ".git").exists() or (directory / "pyproject.toml").exists():
                break
        return False


class _Budget:
    """Seconds for all statements together; none gets more than a second."""

    def __init__(self, seconds: float) -> None:
        import time

        self.clock = time.monotonic
        self.end = self.clock() + seconds

    def slice(self) -> float:
        return max(0.05, min(1.0, self.end - self.clock()))


def _acts(node: ast.stmt) -> bool:
    """Whether a statement only does something: calls, loops, and what runs as a program."""
    if isinstance(node, ast.Expr):
        return not (isinstance(node.value, ast.Constant))
    if isinstance(node, ast.If):
        return any(isinstance(item, ast.Constant) and item.value == "__main__" for item in ast.walk(node.test))
    return isinstance(node, (ast.For, ast.While, ast.With, ast.Assert, ast.Raise, ast.Delete))


def _is_file(module: ModuleType, path: str) -> bool:
    file = getattr(module, "__file__", None)
    try:
        return file is not None and os.path.samefile(file, path)
    except OSError:
        return False
