"""Random draws: which calls take from a generator, and from which one.

A ``draw`` is a fresh value (two draws are never equal) whose ``source`` says where
the numbers come from: ``numpy`` (the legacy global state), ``python``, ``torch``,
``tensorflow``, or ``generator`` for an object that was passed or made. An ``rng``
is a generator object with its seed as argument. Library calls that draw inside
(`LIBRARY_DRAWS`) stay calls; `taken` says what they draw from.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from numlint.graph import vocabulary

if TYPE_CHECKING:
    from numlint.graph.frame import Frame
    from numlint.graph.value import Value

NUMPY = frozenset(
    "rand randn randint random random_sample random_integers ranf sample choice shuffle permutation permuted "
    "bytes normal uniform standard_normal standard_t standard_cauchy standard_exponential standard_gamma beta "
    "binomial chisquare dirichlet exponential f gamma geometric gumbel hypergeometric laplace logistic lognormal "
    "logseries multinomial multivariate_normal negative_binomial noncentral_chisquare noncentral_f pareto poisson "
    "power rayleigh triangular vonmises wald weibull zipf integers multivariate_hypergeometric".split()
)
PYTHON = frozenset(
    "random randint randrange choice choices sample shuffle uniform gauss normalvariate lognormvariate expovariate "
    "betavariate gammavariate triangular vonmisesvariate paretovariate weibullvariate getrandbits".split()
)
TORCH = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson".split()
)
TENSOR = frozenset(
    "normal_ uniform_ random_ bernoulli_ exponential_ cauchy_ log_normal_ geometric_ multinomial bernoulli".split()
)
TENSORFLOW = frozenset(
    "random_normal random_uniform truncated_normal random_shuffle random_gamma multinomial random.normal "
    "random.uniform random.truncated_normal random.shuffle random.gamma random.poisson random.categorical "
    "keras.backend.random_normal keras.backend.random_uniform keras.backend.truncated_normal".split()
)
GENERATORS = {
    "numpy.random.default_rng": "seed",
    "numpy.random.RandomState": "seed",
    "numpy.random.Generator": "bit_generator",
    "numpy.random.PCG64": "seed",
    "numpy.random.PCG64DXSM": "seed",
    "numpy.random.MT19937": "seed",
    "numpy.random.Philox": "seed",
    "numpy.random.SFC64": "seed",
    "random.Random": "x",
    "torch.Generator": "device",
}
UNIT_INTERVAL = frozenset(
    "rand random random_sample ranf sample uniform uniform_ rand_like random_uniform random.uniform".split()
)


ARGUMENTS = ("random_state", "seed", "rng", "generator", "key", "random_seed", "op_seed")
"""Arguments by which library functions take a generator or a seed."""

LIBRARY_DRAWS = """
numpy always  sklearn: train_test_split ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit RepeatedKFold
numpy always  sklearn: RepeatedStratifiedKFold shuffle resample
numpy always  sklearn: RandomizedSearchCV HalvingRandomSearchCV ParameterSampler
numpy start   sklearn: KMeans MiniBatchKMeans BisectingKMeans k_means
numpy always  sklearn: SpectralClustering SpectralBiclustering kmeans_plusplus
numpy always  sklearn: SpectralCoclustering GaussianMixture BayesianGaussianMixture GMM
numpy always  sklearn: RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor
numpy always  sklearn: RandomTreesEmbedding BaggingClassifier BaggingRegressor IsolationForest
numpy always  sklearn: SGDClassifier SGDRegressor Perceptron PassiveAggressiveClassifier
numpy always  sklearn: MLPClassifier MLPRegressor BernoulliRBM RANSACRegressor TheilSenRegressor
numpy always  sklearn: TSNE MDS TruncatedSVD FastICA LatentDirichletAllocation DictionaryLearning
numpy always  sklearn: MiniBatchDictionaryLearning MiniBatchSparsePCA MiniBatchNMF randomized_svd fastica
numpy always  sklearn: GaussianRandomProjection SparseRandomProjection RBFSampler Nystroem PolynomialCountSketch
numpy always  sklearn: AdditiveChi2Sampler SkewedChi2Sampler permutation_importance
numpy always  sklearn: make_blobs make_classification make_regression
numpy always  sklearn: make_moons make_circles make_friedman1 make_friedman2
numpy always  sklearn: make_friedman3 make_gaussian_quantiles make_hastie_10_2 make_low_rank_matrix make_s_curve
numpy always  sklearn: make_swiss_roll make_spd_matrix
numpy always  sklearn: make_sparse_spd_matrix make_sparse_coded_signal make_biclusters
numpy always  sklearn: make_sparse_uncorrelated make_multilabel_classification make_checkerboard
numpy shuffle sklearn: KFold StratifiedKFold StratifiedGroupKFold GroupKFold
numpy ties    sklearn: DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
numpy ties    sklearn: GradientBoostingClassifier GradientBoostingRegressor AdaBoostClassifier AdaBoostRegressor
numpy always  scipy.optimize: differential_evolution basinhopping dual_annealing
numpy always  scipy.cluster.vq: kmeans kmeans2
numpy always  scipy.sparse: random random_array
numpy always  scipy.stats: bootstrap permutation_test
torch always  torch.utils.data: random_split
torch shuffle torch.utils.data: DataLoader
torch layer   torch.nn.functional: dropout dropout2d dropout3d alpha_dropout gumbel_softmax
torch layer   torchvision.transforms: RandomCrop RandomResizedCrop
torch layer   torchvision.transforms: RandomHorizontalFlip RandomVerticalFlip RandomRotation
torch layer   torchvision.transforms: RandomAffine RandomErasing ColorJitter
"""
"""Library calls that draw inside: generator, when, namespace, names.

``always`` unless an argument says otherwise; ``shuffle`` when that argument is true;
``start`` unless ``init`` is an array; ``ties`` only to break ties; ``layer`` as part of a
network, in training only. Names of sklearn are found in any of its modules, since releases
move them.
"""

SAMPLED = {
    "rvs": ("scipy.stats.", "numpy"),
    "sample": ("torch.distributions.", "torch"),
    "rsample": ("torch.distributions.", "torch"),
}
"""Methods that draw from a distribution object: whose it is, and the generator."""

TIMID = frozenset({"ties", "layer"})


class Taking(NamedTuple):
    """A call that draws from a generator nobody passed: which one, and whether it surely matters."""

    source: str
    sure: bool = True


@lru_cache(maxsize=1)
def _library_draws() -> dict[str, tuple[str, str]]:
    table: dict[str, tuple[str, str]] = {}
    for line in LIBRARY_DRAWS.strip().splitlines():
        source, when, namespace, *names = line.split()
        table.update({namespace.rstrip(":") + "." + name: (source, when) for name in names})
    return table


def taken(value: Value, node: ast.AST) -> Taking | None:
    """Return what a site draws from when no generator and no seed is given to it, else None.

    Parameters
    ----------
    value : Value
        A ``draw``, an ``rng`` or a ``call``.
    node : ast.AST
        Its syntax.
    """
    if value.op == "draw":
        source = value.attr("source")
        return None if source == "generator" else Taking(source)
    if value.op == "rng":
        return None if value.args or value.attr("name") == "torch.Generator" else Taking("entropy")
    if value.op != "call" or not value.args or not isinstance(node, ast.Call):
        return None
    keywords: dict[str, Value] = dict(value.attr("keywords") or ())
    if any(keyword.arg is None for keyword in node.keywords) or any(_given(keywords, name) for name in ARGUMENTS):
        return None
    callee = value.args[0]
    if callee.op == "attr":
        return _of_method(callee, keywords)
    dotted = vocabulary.canonical_name(callee.attr("name")) if callee.op == "ref" else ""
    if dotted.startswith("scipy.stats.") and dotted.endswith(".rvs"):
        # rvs(..., loc, scale, size, random_state): whether the fourth is the generator depends on the distribution
        return None if len(node.args) > 3 else Taking("numpy")
    if dotted.startswith("sklearn."):
        dotted = f"sklearn.{dotted.rpartition('.')[2]}"
    source, when = _library_draws().get(dotted, ("", ""))
    if not source:
        return None
    if when == "start" and _given(keywords, "init") and not isinstance(keywords["init"].constant, str):
        return None
    if when == "shuffle":
        flag = keywords.get("shuffle") or (value.args[2] if len(value.args) == 3 and source == "numpy" else None)
        if flag is None or flag.constant in (False, None) or len(value.args) > 3 or _given(keywords, "sampler"):
            return None
    return Taking(source, when not in TIMID and source == "numpy" and not any(name in keywords for name in ARGUMENTS))


def _given(keywords: dict[str, Value], name: str) -> bool:
    value = keywords.get(name)
    return value is not None and not (value.op == "const" and value.constant is None)


def _of_method(callee: Value, keywords: dict[str, Value]) -> Taking | None:
    """A distribution's own method, or the ``sample`` of a data frame, known by its ``frac``."""
    method, receiver = callee.attr("name"), callee.args[0].core
    if method == "sample" and ("frac" in keywords or {"n", "replace"} <= keywords.keys()):
        return Taking("numpy")
    library, source = SAMPLED.get(method, ("", ""))
    made_by = receiver
    if receiver.op == "call" and receiver.args:
        keywords, made_by = dict(receiver.attr("keywords") or ()), receiver.args[0]
        if any(_given(keywords, name) for name in ARGUMENTS):
            return None
    if library and made_by.op == "ref" and made_by.attr("name").startswith(library):
        return Taking(source)
    return None


def source_of(name: str) -> str:
    """Return the generator that a library name draws from, or ``""``."""
    if name.startswith("numpy.random.") and name[13:] in NUMPY:
        return "numpy"
    if name.startswith("random.") and name[7:] in PYTHON:
        return "python"
    if name.startswith("torch.") and name[6:] in TORCH:
        return "torch"
    if name.startswith("tensorflow.") and name[11:] in TENSORFLOW:
        return "tensorflow"
    if name.startswith("rng.") and name[4:] in NUMPY | PYTHON:
        return "generator"
    if name.startswith("tensor.") and name[7:] in TENSOR:
        return "torch"
    return ""


def draw(frame: Frame, name: str, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value | None:
    """Value of a call that draws random numbers or makes a generator, or None for any other call."""
    graph = frame.graph
    if name in GENERATORS:
        seed = args[0] if args else keywords.get(GENERATORS[name])
        known = seed is not None and not (seed.op == "const" and seed.constant is None)
        from_seed = (seed,) if known and seed is not None else ()
        return frame.emit("rng", from_seed, node, (("name", name),), vocabulary.framework(name))
    source = source_of(name)
    if not source:
        return None
    if name.startswith("tensor.") and "torch" not in frame.module.roots and args[0].framework != "torch":
        return None
    if any(_given(keywords, argument) for argument in ARGUMENTS):
        source = "generator"
    leaf = name.partition(".")[2] if name.startswith("tensorflow") else name.rpartition(".")[2]
    attrs = (("name", name), ("source", source), ("unit", leaf in UNIT_INTERVAL and _is_unit(args, source)))
    frame.clock += 1
    value = graph.fresh("draw", *args, **dict(attrs))
    if frame.sites is not None:
        from numlint.graph.site import Site

        framework = vocabulary.framework(name) or ("numpy" if source == "generator" else source)
        frame.sites.append(Site(value, node, frame.path, frame.clock, framework, tuple(frame.loop_stack)))
    return value


def _is_unit(args: list[Value], source: str) -> bool:
    """Whether the bounds of a uniform draw are the default ones."""
    return not any(argument.op == "const" and isinstance(argument.constant, float) for argument in args)
