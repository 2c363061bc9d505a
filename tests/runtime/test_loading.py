"""A module is loaded whatever state its project is in, and what was left out is said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from numlint.runtime.loading import LoadError, load
from numlint.runtime.target import Region, Target


@pytest.fixture(autouse=True)
def _modules_as_before() -> Any:
    modules, paths, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    yield
    for name in set(sys.modules) - set(modules):
        if name.startswith("sample_"):
            del sys.modules[name]
    sys.path[:], sys.meta_path[:] = paths, finders


def target(path: Path, module: str, root: Path) -> Target:
    return Target(str(path), module, str(root), "", Region(1, 1, 1, 2), "any")


def loaded(folder: Path, name: str, text: str) -> Any:
    path = folder / f"{name}.py"
    path.write_text(text)
    return load(target(path, name, folder), seconds=1.0)


def test_an_ordinary_module_is_imported(tmp_path: Path) -> None:
    found = loaded(tmp_path, "sample_plain", "import numpy as np\nE = np.exp(1.0)\n")
    assert found.whole
    assert found.module.E > 2.7
    assert not found.stubbed


def test_only_what_is_missing_is_stubbed(tmp_path: Path) -> None:
    text = (
        "import numpy\nfrom no_such_library.layers import Base, wrap\nclass A(Base):\n    @wrap\n"
        "    def f(self): return 3\n"
    )
    found = loaded(tmp_path, "sample_missing", text)
    assert found.stubbed == ["no_such_library"]
    assert found.module.A().f() == 3


def test_an_optional_import_takes_its_own_way_out(tmp_path: Path) -> None:
    text = "try:\n    import no_such_accelerator\nexcept ImportError:\n    no_such_accelerator = None\n"
    found = loaded(tmp_path, "sample_optional", text)
    assert found.module.no_such_accelerator is None
    assert not found.stubbed


def test_the_program_part_does_not_run(tmp_path: Path) -> None:
    found = loaded(tmp_path, "sample_program", "x = 1\nif __name__ == '__main__':\n    x = 2\n")
    assert found.module.x == 1


def test_a_script_that_reads_files_is_loaded_by_its_definitions(tmp_path: Path) -> None:
    text = (
        "import math\ndata = open('not-there.csv').read()\nK = 3\ndef f(x):\n"
        "    return math.exp(x) * K\nprint(f(data))\n"
    )
    found = loaded(tmp_path, "sample_script", text)
    assert not found.whole
    assert found.module.f(0.0) == 3
    assert any("FileNotFoundError" in problem for problem in found.problems)


def test_a_script_that_trains_for_ever_is_stopped(tmp_path: Path) -> None:
    found = loaded(tmp_path, "sample_endless", "def f(x): return x\nwhile True:\n    f(1)\n")
    assert not found.whole
    assert found.module.f(2) == 2
    assert any("does not finish" in problem for problem in found.problems)


def test_a_package_that_fails_is_gone_around(tmp_path: Path) -> None:
    package = tmp_path / "sample_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('not installed')\n")
    (package / "scale.py").write_text("FACTOR = 2\n")
    path = package / "model.py"
    path.write_text("from .scale import FACTOR\ndef f(x): return x * FACTOR\n")
    found = load(target(path, "sample_package.model", tmp_path))
    assert found.module.f(3) == 6
    assert "sample_package/__init__.py was left out" in found.problems


def test_a_sibling_of_the_project_is_found_above_the_file(tmp_path: Path) -> None:
    (tmp_path / "sample_shared.py").write_text("K = 5\n")
    chapter = tmp_path / "chapter"
    chapter.mkdir()
    found = loaded(chapter, "sample_uses_shared", "from sample_shared import K\n")
    assert found.module.K == 5
    assert not found.stubbed


def test_names_that_libraries_dropped_are_there(tmp_path: Path) -> None:
    text = "import numpy as np\nfrom collections import Hashable\nx = np.float(3)\ny = np.zeros(2, np.int)\n"
    assert loaded(tmp_path, "sample_old", text).module.x == 3.0


def test_a_file_that_does_not_parse_is_said(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="does not parse"):
        loaded(tmp_path, "sample_broken", "print 'python 2'\n")


def test_numpy_serves_for_a_missing_module_that_offers_its_functions(tmp_path: Path) -> None:
    text = "import autograd.numpy as np\n\ndef f(x):\n    return np.log(x + 1)\n"
    module = loaded(tmp_path, "sample_stand_in", text).module
    assert module.f(0.0) == 0.0
