"""How a rewrite spells `scipy.special.softmax` in a file that may know it under any name, or none."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from numlint.finding import Finding
from numlint.fix import Fitter

SOFTMAX = "scipy.special.softmax"


def spelt(found: Callable[..., Finding], text: str, dotted: str = SOFTMAX) -> tuple[str, list[str]]:
    """The text that replaces `HERE`, and the imports that are added."""
    plain = dotted.rpartition(".")[2]
    rewrite = found(text, ("HERE", f"{plain}(z)"), imports=(dotted,)).rewrite
    assert rewrite is not None
    fitted = Fitter(text).fit(rewrite)
    assert fitted.obstacle == ""
    return fitted.edits[0].text, [str(needed) for needed in fitted.imports]


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("from scipy.special import softmax", "softmax(z)"),
        ("from scipy.special import softmax as sm", "sm(z)"),
        ("from scipy.special import expit as softmax, softmax as sm", "sm(z)"),
        ("from scipy import special", "special.softmax(z)"),
        ("import scipy.special as sp", "sp.softmax(z)"),
        ("import scipy.special", "scipy.special.softmax(z)"),
        ("import scipy.special, scipy.linalg", "scipy.special.softmax(z)"),
        ("from scipy.special import *", "softmax(z)"),
        ("try:\n    from scipy import special\nfinally:\n    pass", "special.softmax(z)"),
        ("with quiet():\n    from scipy import special", "special.softmax(z)"),
    ],
)
def test_a_name_that_the_file_knows_is_used(header: str, text: str, found: Callable[..., Finding]) -> None:
    assert spelt(found, f"{header}\n\ndef f(z):\n    return HERE\n") == (text, [])


@pytest.mark.parametrize(
    "header",
    [
        "import numpy as np",
        "import scipy",  # does not load scipy.special
        "import scipy.linalg",
        "from scipy.special import expit",
        "def g(softmax):\n    return softmax",
        "def g():\n    from scipy.special import softmax\n    return softmax",
        "class Gate:\n    def softmax(self):\n        pass",
        "model.softmax = 1",
        "if TYPE_CHECKING:\n    from scipy import special",
        "try:\n    from scipy import special\nexcept ImportError:\n    special = None",
        "try:\n    pass\nexcept ImportError:\n    from scipy import special",
        "for i in range(2):\n    import scipy.special as sp",
    ],
)
def test_a_name_that_is_free_is_imported(header: str, found: Callable[..., Finding]) -> None:
    result = spelt(found, f"{header}\n\ndef f(z):\n    return HERE\n")
    assert result == ("softmax(z)", ["from scipy.special import softmax"])


@pytest.mark.parametrize(
    "header",
    [
        "def softmax(z):\n    return z",
        "class softmax: pass",
        "softmax = None",
        "from mylib import softmax",
        "from mylib import gate as softmax",
        "from . import softmax",
        "import softmax",
        "from mylib import *",
        "from mylib import *\nfrom scipy.special import *",
        "for softmax in gates: pass",
        "with gate() as softmax: pass",
        "try:\n    pass\nexcept ValueError as softmax:\n    pass",
        "try:\n    from scipy.special import softmax\nexcept ImportError:\n    softmax = None",
        "if TYPE_CHECKING:\n    from scipy.special import softmax",
        "def g():\n    global softmax\n    softmax = 1",
        "[softmax := gate for gate in gates]",
        "match gate:\n    case softmax: pass",
        "match gate:\n    case [*softmax]: pass",
        "match gate:\n    case {**softmax}: pass",
        "del softmax",
    ],
)
def test_a_name_that_the_module_uses_otherwise_is_written_with_its_module(
    header: str, found: Callable[..., Finding]
) -> None:
    result = spelt(found, f"{header}\n\ndef f(z):\n    return HERE\n")
    assert result == ("scipy.special.softmax(z)", ["import scipy.special"])


@pytest.mark.parametrize(
    "function",
    [
        "def f(z, softmax):\n    return HERE",
        "def f(z, *softmax):\n    return HERE",
        "def f(z):\n    softmax = 1\n    return HERE",
        "def f(z):\n    def softmax(): pass\n    return HERE",
        "def f(softmax):\n    def g(z):\n        return HERE\n    return g",
        "def f(z):\n    from scipy.special import softmax\n    def g():\n        nonlocal softmax\n    return HERE",
        "f = lambda z, softmax: HERE",
        "f = [HERE for softmax in gates]",
        "class A:\n    softmax = 1\n    gate = HERE",
        "async def f(z, *, softmax=None):\n    return HERE",
    ],
)
def test_a_local_name_hides_the_import(function: str, found: Callable[..., Finding]) -> None:
    assert spelt(found, f"{function}\n") == ("scipy.special.softmax(z)", ["import scipy.special"])


@pytest.mark.parametrize(
    "function",
    [
        "class A:\n    softmax = 1\n    def f(self, z):\n        return HERE",
        "def g(softmax): pass\ndef f(z):\n    return HERE",
        "def f(z=HERE):\n    softmax = 1",
        "f = lambda softmax: 1, HERE",
    ],
)
def test_a_name_of_another_scope_does_not(function: str, found: Callable[..., Finding]) -> None:
    assert spelt(found, f"{function}\n") == ("softmax(z)", ["from scipy.special import softmax"])


def test_an_import_of_the_function_itself_is_used(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    from scipy import special\n    return HERE\n"
    assert spelt(found, text) == ("special.softmax(z)", [])


def test_an_import_further_down_in_the_same_scope_is_not(found: Callable[..., Finding]) -> None:
    text = "p = HERE\nfrom scipy import special\n"
    assert spelt(found, text) == ("softmax(z)", ["from scipy.special import softmax"])


def test_an_import_further_down_in_the_module_serves_a_function(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    return HERE\nfrom scipy import special\n"
    assert spelt(found, text) == ("special.softmax(z)", [])


@pytest.mark.parametrize(
    ("header", "dotted", "text"),
    [
        ("import numpy as np", "numpy.linalg.lstsq", "np.linalg.lstsq(z)"),
        ("import numpy as np", "numpy.log1p", "np.log1p(z)"),
        ("import numpy", "numpy.linalg.lstsq", "numpy.linalg.lstsq(z)"),
        ("import torch", "torch.nn.functional.softmax", "torch.nn.functional.softmax(z)"),
        ("import torch\nimport torch.nn.functional as F", "torch.nn.functional.softmax", "F.softmax(z)"),
        ("import jax.numpy as jnp", "jax.numpy.log1p", "jnp.log1p(z)"),
    ],
)
def test_packages_that_load_their_submodules_are_enough(
    header: str, dotted: str, text: str, found: Callable[..., Finding]
) -> None:
    assert spelt(found, f"{header}\n\ndef f(z):\n    return HERE\n", dotted) == (text, [])


def test_a_builtin_is_not_hidden(found: Callable[..., Finding]) -> None:
    assert spelt(found, "y = HERE\n", "numpy.sum") == ("numpy.sum(z)", ["import numpy"])


def test_a_module_without_a_parent_is_imported_as_it_is(found: Callable[..., Finding]) -> None:
    assert spelt(found, "y = HERE\n", "numpy") == ("numpy(z)", ["import numpy"])
    assert spelt(found, "import numpy as np\ny = HERE\n", "numpy") == ("np(z)", [])


def test_attributes_and_keywords_of_the_same_name_are_kept(found: Callable[..., Finding]) -> None:
    text = "softmax = 1\ny = HERE\n"
    rewrite = found(text, ("HERE", "softmax(z.softmax, softmax=softmax)"), imports=(SOFTMAX,)).rewrite
    assert rewrite is not None
    assert Fitter(text).fit(rewrite).edits[0].text == (
        "scipy.special.softmax(z.softmax, softmax=scipy.special.softmax)"
    )


def test_each_edit_is_spelt_for_its_own_place(found: Callable[..., Finding]) -> None:
    text = dedent(
        """\
        def f(z):
            return FIRST

        def g(z, softmax):
            return SECOND
        """
    )
    rewrite = found(text, ("FIRST", "softmax(z)"), ("SECOND", "softmax(z)"), imports=(SOFTMAX,)).rewrite
    assert rewrite is not None
    fitted = Fitter(text).fit(rewrite)
    assert [edit.text for edit in fitted.edits] == ["softmax(z)", "scipy.special.softmax(z)"]
    assert [str(needed) for needed in fitted.imports] == ["from scipy.special import softmax", "import scipy.special"]
