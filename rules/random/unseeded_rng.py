"""Random numbers that no caller can make repeatable.

The legacy functions of `numpy.random` and those of Python's `random`, torch and
TensorFlow draw from one hidden generator per process, which starts from the
operating system's entropy. When neither the function nor what runs before it sets a
seed, two runs on the same data differ: k-means ends in another local optimum, the
split holds other rows, a regression cannot be bisected. `default_rng()` without an
argument and scikit-learn's `random_state=None` are no better. Seeding the global
state outside repairs one program; it breaks as soon as another library draws in between.

Cure
----
Take a generator or a seed as a parameter and draw from it:
`rng = np.random.default_rng(seed)`, then `rng.choice(...)`; scikit-learn:
`random_state=`; torch: `generator=torch.Generator().manual_seed(seed)`. In a script,
one seed at the top is enough.

When it is fine
---------------
The function, its caller, its class or the entry point seeds the generator in
question; a generator or a seed is passed in; the initial weights of a torch module,
which by convention follow the global seed; tests that are meant to vary.

References
----------
M. E. O'Neill, PCG: A family of simple fast space-efficient statistically good
algorithms for random number generation, Harvey Mudd College HMC-CS-2014-0905, 2014.
scikit-learn developers, Controlling randomness, section 10.3 of the user guide.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph import vocabulary
from numlint.graph.randomness import Taking, taken
from numlint.graph.seeding import RESEEDING, Seeding, dotted_name, seeding
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "unseeded-rng"
code = "NL601"
triggers = tuple(
    "random rand randn randint randrange choice choices shuffle sample rsample permutation normal uniform gauss rvs "
    "default_rng RandomState Random PCG64 randperm rand_like randn_like bernoulli multinomial random_normal "
    "random_uniform truncated_normal train_test_split resample random_split dropout DataLoader KMeans "
    "MiniBatchKMeans KFold StratifiedKFold ShuffleSplit StratifiedShuffleSplit GaussianMixture "
    "SpectralClustering RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "BaggingClassifier BaggingRegressor IsolationForest GradientBoostingClassifier GradientBoostingRegressor "
    "AdaBoostClassifier DecisionTreeClassifier DecisionTreeRegressor SGDClassifier SGDRegressor Perceptron "
    "MLPClassifier MLPRegressor RandomizedSearchCV TSNE TruncatedSVD FastICA permutation_importance make_blobs "
    "make_classification make_regression make_moons make_circles differential_evolution basinhopping "
    "dual_annealing kmeans kmeans2 bootstrap normal_ uniform_ random_ bernoulli_ exponential_"
    # What seeds is no hazard, but a function that seeds must be seen for the draws of others to be judged.
    " seed manual_seed manual_seed_all set_seed seed_everything set_random_seed set_rng_seed".split()
)
signature = "non-determinism"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def initial_centres(x, k):
            return x[np.random.choice(len(x), k, replace=False)]
        """,
        call="initial_centres(np.arange(1000.0), 5)",
    ),
    Example(
        """
        from numpy.random import permutation as shuffled

        class Splitter:
            def __init__(self, fraction=0.5):
                self.fraction = fraction

            def split(self, rows):
                order = shuffled(rows)
                return order[: int(self.fraction * rows)]
        """,
        call="Splitter().split(100)",
    ),
    Example(
        """
        import random
        import numpy as np

        def tournament(population, fitness, size=3):
            chosen = random.sample(range(len(population)), size)
            return population[max(chosen, key=lambda i: fitness[i])]
        """,
        call="[tournament(np.arange(1000), np.arange(1000.0)) for _ in range(20)]",
    ),
    Example(
        """
        import numpy as np

        def bootstrap_mean(x, repeats):
            rng = np.random.default_rng()
            return [x[rng.integers(0, len(x), len(x))].mean() for _ in range(repeats)]
        """,
        call="bootstrap_mean(np.arange(100.0), 10)",
    ),
    Example(
        """
        from sklearn.model_selection import train_test_split

        def halves(x, y):
            return train_test_split(x, y, test_size=0.5)
        """,
        call="halves(list(range(100)), list(range(100)))",
        requires="sklearn",
    ),
    Example(
        """
        from sklearn.cluster import KMeans
        from sklearn.datasets import load_iris

        labels = KMeans(n_clusters=20, n_init=1).fit_predict(load_iris().data)
        print(labels)
        """,
        fixed="""
        from sklearn.cluster import KMeans
        from sklearn.datasets import load_iris

        labels = KMeans(n_clusters=20, n_init=1, random_state=0).fit_predict(load_iris().data)
        print(labels)
        """,
        call="list(labels)",
        requires="sklearn",
    ),
    Example(
        """
        import torch

        w = torch.zeros(3, requires_grad=True)
        for _ in range(5):
            x = torch.randn(8, 3)
            ((x @ w - x[:, 0]) ** 2).mean().backward()
        """,
        call="w.grad",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def initial_centres(x, k, seed=0):
            rng = np.random.default_rng(seed)
            return x[rng.choice(len(x), k, replace=False)]
        """,
        call="initial_centres(np.arange(1000.0), 5)",
        note="the caller gives the seed",
    ),
    Example(
        """
        import numpy as np

        def initial_centres(x, k, rng=None):
            if rng is None:
                rng = np.random.default_rng()
            return x[rng.choice(len(x), k, replace=False)]
        """,
        call="initial_centres(np.arange(1000.0), 5, np.random.default_rng(0))",
        note="entropy only when the caller asks for it by giving no generator",
    ),
    Example(
        """
        import numpy as np

        def noise(n):
            return np.random.normal(size=n)

        def main():
            np.random.seed(0)
            return noise(10)

        if __name__ == "__main__":
            print(main())
        """,
        call="main()",
        note="the entry point seeds the generator that the helper draws from",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        class Sampler:
            def __init__(self, seed):
                self.rng = np.random.RandomState(seed)

            def draw(self, n):
                return self.rng.standard_normal(n)
        """,
        call="Sampler(0).draw(10)",
        note="drawn from a generator that was made from a seed",
    ),
    Example(
        """
        import numpy as np

        def set_seed(value):
            np.random.seed(value)

        class Model:
            def __init__(self, seed):
                set_seed(seed)

            def start(self, n):
                return np.random.rand(n)
        """,
        call="Model(0).start(10)",
        note="the constructor seeds the global state, through a helper",
    ),
    Example(
        """
        import torch

        class Scale(torch.nn.Module):
            def __init__(self, n):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.randn(n))
        """,
        note="initial weights follow torch's global seed by convention",
    ),
]

STATE = {
    "numpy": "NumPy's global state",
    "python": "the global state of Python's random module",
    "torch": "torch's global generator",
    "tensorflow": "TensorFlow's global generator",
    "entropy": "the operating system's entropy",
}
PARAMETERS = frozenset(
    {"torch.nn.Parameter", "torch.nn.parameter.Parameter", "tensorflow.Variable", "tensorflow.get_variable"}
)
NUMERIC = frozenset(vocabulary.FRAMEWORKS) - {"math", "cmath", "random", "statistics", "builtins"}


def check(function: Function) -> Iterator[Hazard]:
    found: tuple[Site, Taking, Confidence] | None = None
    draws = 0
    for site in function.sites("draw", "rng", "call"):
        taking = taken(site.value, site.node)
        if taking is None:
            continue
        confidence = _confidence(function, site, taking)
        draws += confidence is not None
        if confidence is not None and (found is None or confidence > found[2]):
            found = site, taking, confidence
    if found is None:
        return
    site, taking, confidence = found
    callee = function.text(site.node.func) if isinstance(site.node, ast.Call) else "this"
    others = f" (and {draws - 1} more here)" if draws > 1 else ""
    source = STATE["numpy" if site.value.op == "call" and taking.source == "entropy" else taking.source]
    top = function.body.definition is None
    lack = "the script sets no seed" if top else "no seed and no generator reaches this function"
    yield Hazard(
        site,
        f"{callee}{others} draws from {source}, and {lack}: two runs on the same data differ",
        confidence=confidence,
        rewrite=_rewrite(function, site, taking),
    )


def _confidence(function: Function, site: Site, taking: Taking) -> Confidence | None:
    """How sure it is that nothing makes this draw repeatable; None when something does."""
    module, definition = function.module, function.body.definition
    chosen = any(_left_out(condition, holds, taking) for condition, holds in _choices(function, site))
    if chosen and taking.source == "entropy":
        return None
    if _reseeded(function, site.value) or _beside_the_numbers(function, site):
        return None
    seeds: Seeding = seeding(module, function.body.analysis.project)
    if taking.source in seeds.before(definition):
        return None
    if chosen or not taking.sure or _is_test(module.path):
        return Confidence.POSSIBLE
    if taking.source in ("torch", "tensorflow"):
        if _starts_weights(function, site):
            return None
        # One seed where the program starts is torch's way, so it is asked for once, and only of a program that learns.
        script = seeds.learns and seeds.runs(definition) and seeds.draws_first(definition, taking.source)
        return Confidence.LIKELY if script else Confidence.POSSIBLE
    if taking.source == "python" and not module.roots & NUMERIC:
        return Confidence.POSSIBLE
    return Confidence.LIKELY


def _choices(function: Function, site: Site) -> Iterator[tuple[Value, bool]]:
    """Conditions under which the draw is made, and that by which the function that draws was chosen."""
    yield from site.conditions()
    callee = function.body.nodes.get(site.node.func) if isinstance(site.node, ast.Call) else None
    if callee is not None and callee.op == "phi" and len(callee.args) == 3:
        yield callee.args[0], callee.args[1].op == "ref"


def _left_out(condition: Value, holds: bool, taking: Taking) -> bool:
    """Whether a condition says that something was left out: ``rng is None``; for a new generator also ``not seed``."""
    given = condition.core
    if given.op in ("is", "isnot", "eq", "ne") and len(given.args) == 2:
        none = any(side.op == "const" and side.constant is None for side in given.args)
        return none and holds == (given.op in ("is", "eq"))
    if given.op == ("and" if holds else "or"):
        return any(_left_out(part, holds, taking) for part in given.args)
    if given.op == "or":
        return all(_left_out(part, holds, taking) for part in given.args)
    if given.op == "not":
        return _left_out(given.args[0], not holds, taking)
    return not holds and taking.source == "entropy"


def _reseeded(function: Function, value: Value) -> bool:
    """Whether a generator made without a seed is given one by a method: ``rng.seed(0)``."""
    if value.op != "rng":
        return False
    callees = (site.value.args[0] for site in function.sites("call") if site.value.args)
    methods = (callee for callee in callees if callee.op == "attr" and callee.args[0].core is value)
    return any(method.attr("name") in RESEEDING for method in methods)


def _starts_weights(function: Function, site: Site) -> bool:
    """Whether a draw fills the parameters of a model: in place in an attribute, or wrapped as a parameter."""
    func = site.node.func if isinstance(site.node, ast.Call) else None
    in_place = site.value.attr("name", "").startswith("tensor.")
    if in_place and isinstance(func, ast.Attribute) and isinstance(func.value, ast.Attribute):
        return True
    return any(dotted_name(function.module, call.func) in PARAMETERS for call in _calls_around(function, site.node))


def _calls_around(function: Function, node: ast.AST | None) -> Iterator[ast.Call]:
    while node is not None and not isinstance(node, ast.stmt):
        node = function.parent(node)
        if isinstance(node, ast.Call):
            yield node


def _beside_the_numbers(function: Function, site: Site) -> bool:
    """Whether a draw of Python's makes a delay or a text, and no number."""
    if site.value.attr("source") != "python":
        return False
    for call in _calls_around(function, site.node):
        joins = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant)
        if joins or dotted_name(function.module, call.func) == "time.sleep":
            return True
    attributes = (part for part in ast.walk(site.node) if isinstance(part, ast.Attribute))
    return any(dotted_name(function.module, part).startswith("string.") for part in attributes)


def _is_test(path: str) -> bool:
    *folders, file = path.replace("\\", "/").split("/")
    named = file.startswith("test_") or file.endswith("_test.py") or file == "conftest.py"
    return named or not {"test", "tests", "testing"}.isdisjoint(folders)


def _rewrite(function: Function, site: Site, taking: Taking) -> Rewrite:
    node = site.node
    sklearn = site.value.op == "call" and taking.source == "numpy" and isinstance(node, ast.Call)
    if sklearn and function.body.definition is None:
        assert isinstance(node, ast.Call)
        text = function.text(node)
        between = ", " if node.args or node.keywords else ""
        if text.endswith(")") and not text[:-1].rstrip().endswith(",") and "random_state" not in text:
            return function.rewrite(
                node,
                f"{text[:-1]}{between}random_state=0)",
                "fixes the seed",
                safety=Safety.UNSAFE,
                reason="another result than before, the same in every run; 0 is arbitrary",
            )
    if sklearn:
        return function.advice("take a seed or a generator as a parameter and pass it as random_state=")
    if taking.source in ("torch", "tensorflow"):
        call = "torch.manual_seed(seed)" if taking.source == "torch" else "tf.random.set_seed(seed)"
        return function.advice(f"{call} where the program starts, or a generator passed to the draw")
    if function.body.definition is None:
        return function.advice("rng = np.random.default_rng(seed) once, and every draw from rng")
    return function.advice("take rng as a parameter (np.random.default_rng(seed) in the caller) and draw from it")
