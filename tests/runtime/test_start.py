"""The runtime starts by path, in any folder, in an interpreter that knows nothing of numlint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from numlint import runtime

RUNTIME = Path(next(iter(runtime.__path__)))


def test_the_folder_may_have_any_name(tmp_path: Path) -> None:
    shutil.copytree(RUNTIME, tmp_path / "copied-elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "copied-elsewhere" / "start.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script)], input=b'{"op": "exit"}\n', capture_output=True, check=True, timeout=60
    )
    hello = json.loads(done.stdout.splitlines()[0])["hello"]
    assert hello["python"] == ".".join(map(str, sys.version_info[:3]))
    assert hello["available"].keys() >= {"flint", "mpmath", "ml_dtypes", "threadpoolctl", "scipy", "torch", "jax"}
    assert done.stderr == b""


def test_the_modules_of_the_runtime_do_not_hide_those_of_the_user(tmp_path: Path) -> None:
    """The runtime has a `target` and a `server`; so may the user."""
    (tmp_path / "target.py").write_text("import server\n\ndef whose(): return server.WHOSE\n")
    (tmp_path / "server.py").write_text("WHOSE = 'of the user'\n")
    target = {
        "path": str(tmp_path / "target.py"),
        "module": "target",
        "root": str(tmp_path),
        "qualname": "whose",
        "region": {"line": 1, "column": 1, "end_line": 1, "end_column": 2},
        "rule": "none",
    }
    request = {"id": 1, "op": "call", "target": target}
    command = [sys.executable, "-u", "-B", str(RUNTIME / "start.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        results = (json.loads(line).get("result") for line in server.stdout)
        assert next(filter(None, results))["literal"] == "'of the user'"
