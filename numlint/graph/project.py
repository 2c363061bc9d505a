"""The project around a file: its own modules, found and parsed on demand.

A name imported from the project's own code is resolved by looking for its file
under the roots: the folders above the importing file that still hold Python code,
and the configured source folders. Nothing is imported; files outside the roots
(installed packages) are never read.
"""

from __future__ import annotations

import ast
import os

from numlint.graph.module import Module

MAX_MODULE_BYTES = 1_000_000


def package_of(path: str) -> str:
    """Dotted name of the package that holds the file: folders upwards while ``__init__.py`` exists."""
    parts: list[str] = []
    folder = os.path.dirname(os.path.abspath(path))
    while os.path.exists(os.path.join(folder, "__init__.py")) and len(parts) < 20:
        folder, name = os.path.split(folder)
        parts.append(name)
    return ".".join(reversed(parts))


def decode(source: bytes) -> str:
    """Decode a Python file by its byte order mark or coding line.

    Raises
    ------
    SyntaxError
        When the declared encoding is unknown.
    UnicodeDecodeError
        When the bytes do not fit the encoding.
    """
    if source.startswith(b"\xef\xbb\xbf"):
        return source[3:].decode("utf-8")
    if b"coding" in source[:400]:
        import io
        import tokenize

        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding)
    return source.decode("utf-8")


class Project:
    """Finds modules of the project by dotted name, each parsed once.

    Parameters
    ----------
    roots : sequence of str
        Folders that dotted names start from, besides those found from each file.
    """

    def __init__(self, roots: tuple[str, ...] = ()) -> None:
        self.roots = roots
        self._modules: dict[str, Module | None] = {}
        self._found: dict[tuple[str, str], Module | None] = {}

    def find(self, dotted: str, origin: str) -> Module | None:
        """Return the module `dotted` as seen from the file `origin`, or None."""
        if not dotted or dotted == ".":
            return None
        key = (dotted, os.path.dirname(origin))
        if key not in self._found:
            self._found[key] = self._find(dotted, origin)
        return self._found[key]

    def _find(self, dotted: str, origin: str) -> Module | None:
        relative = dotted.replace(".", os.sep)
        folder = os.path.dirname(os.path.abspath(origin))
        candidates = list(self.roots)
        for _ in range(8):
            candidates.append(folder)
            parent = os.path.dirname(folder)
            if parent == folder or os.path.exists(os.path.join(folder, ".git")):
                break
            folder = parent
        for root in candidates:
            for path in (os.path.join(root, relative + ".py"), os.path.join(root, relative, "__init__.py")):
                module = self._load(path, dotted)
                if module is not None:
                    return module
        return None

    def _load(self, path: str, dotted: str) -> Module | None:
        if path in self._modules:
            return self._modules[path]
        module = None
        try:
            if os.path.getsize(path) <= MAX_MODULE_BYTES:
                with open(path, "rb") as stream:
                    text = decode(stream.read())
                package = dotted if path.endswith("__init__.py") else dotted.rpartition(".")[0]
                module = Module(ast.parse(text), text, path, dotted, package)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            module = None
        self._modules[path] = module
        return module
