"""Started by path in the interpreter of the code under test: ``python -u -B .../start.py``.

It answers what `numlint confirm` asks (`server`), and with ``--lab`` what `numlint lab` asks (`lab.worker`).

That interpreter knows nothing of numlint, and the folder may have any name, so the
folder is registered as the package `numlint_runtime`. The script's own directory leaves
``sys.path`` first: its modules have names that the user's modules may have too.
"""

import importlib.util
import os
import sys

PACKAGE = "numlint_runtime"


def register(directory: str) -> None:
    """Make a directory importable as `PACKAGE`."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(directory, "__init__.py"), submodule_search_locations=[directory]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    register(here)
    if sys.argv[1:2] == ["--lab"]:
        importlib.import_module(f"{PACKAGE}.lab.worker").main()
    else:
        importlib.import_module(f"{PACKAGE}.server").main(sys.argv[1:])
