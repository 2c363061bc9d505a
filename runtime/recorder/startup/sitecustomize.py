"""Start the recorder in every interpreter that a recorded command starts.

Python imports a module of this name when it starts. The user's own one, which this
hides, is imported afterwards. Whatever fails here, the program goes on unrecorded.
"""

import importlib
import importlib.util
import os
import sys


def _start() -> None:
    runtime = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    spec = importlib.util.spec_from_file_location(
        "numlint_runtime", os.path.join(runtime, "__init__.py"), submodule_search_locations=[runtime]
    )
    if spec is not None and spec.loader is not None:
        package = sys.modules["numlint_runtime"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
        importlib.import_module("numlint_runtime.recorder.hook").start(os.environ["NUMLINT_RECORD"])


def _go_on() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    itself = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        if itself is not None:
            sys.modules["sitecustomize"] = itself


try:
    if "NUMLINT_RECORD" in os.environ:
        _start()
except Exception as error:
    if os.environ.get("NUMLINT_RECORD_DEBUG"):
        print(f"numlint record: {error!r}", file=sys.stderr)
_go_on()
