"""What the names and annotations of parameters speak for: patterns, and kinds of value in the order of trial."""

from __future__ import annotations

import re

ANNOTATED = (
    (r"DataFrame", "frame*"),
    (r"Series", "series*"),
    (r"ndarray|ArrayLike|NDArray|Tensor|Array\b", "X vector labels"),
    (r"\bbool\b", "false true"),
    (r"\bint\b", "3 1 2 10"),
    (r"\bfloat\b", "0.5 0.7 0.001"),
    (r"\bstr\b", "string"),
    (r"Callable", "halved squares half"),
    (r"RandomState|Generator", "state generator"),
    (r"[Ll]ist\[float|Sequence\[float", "list*"),
    (r"[Ll]ist\[int|[Ll]ist\b|Sequence", "sizes list* arrays*"),
    (r"[Dd]ict", "dict"),
    (r"[Tt]uple", "pair shape2 shape4"),
)
NAMED = (
    (r"^(\w*_)?device(_type)?$", "cpu"),
    (r"^(sample|row|point|instance|observation|example|query|x_?i|x_?new|f?point)$", "features vector X"),
    (
        r"^(x|xs|data|features|samples|inputs?|x_?train|x_?test|points|design|exog|instances|observations?|"
        r"dataset)$",
        "X images vector sequence unit2 index arrays*",
    ),
    (r"^(x_?new|x1|x2|y|z|h|v|u)$", "X XT vector scores unit2"),
    (
        r"^(y|targets?|labels?|y_?true|y_?train|y_?test|endog|response|ground_truth|truth|class(es)?)$",
        "labels vector onehot labelcolumn scores positives",
    ),
    (
        r"^(y_?pred\w*|y_?hat|y_?prob|probs?|p|proba|predictions?|predicted|pred|output|q|pi|prior|priors)$",
        "probabilities proba onehot labels positives 0.5 simplex labelcolumn",
    ),
    (
        r"^(z|logits?|scores?|x|t|u|v|theta|eta|s|r|a|arr|array|values?|vals|signal|freqs?|log_\w*|raw\w*)$",
        "vector X 0.7 scores probabilities images",
    ),
    (
        r"^(w|weights?|coef_?|beta|b|bias|params?|theta|centroids?|centers?|mu|means?|loc|m|mean_\w*|vec|"
        r"vector|g|grad\w*)$",
        "features vector weights 0.7 centers classes columnd column",
    ),
    (
        r"^(cov\w*|sigma|s|p|q|r|c|precision\w*|a|m|k|kernel|gram|inv_\w*|scale_\w*|metric|w|f|matrix|mat)$",
        "spd 0.5 square spds spdn X centers",
    ),
    (
        r"^(n|n_\w*|num\w*|k|d|dim|dims|size|max_?iter\w*|\w*iterations?|n_?epochs?|epochs?|order|degree|nobs|"
        r"steps?|t|batch_size|max_\w*|min_\w*|idx|index|i|j|axis|row|col|\w*_size|\w*_count|\w*_dim|channels?|"
        r"height|width|stride|padding|depth)$",
        "3 1 2 0 10",
    ),
    (
        r"^(lr|alpha|eps\w*|tol\w*|gamma|lam|lambda_?|reg\w*|\w*lambda|scale|std|sigma2?|var\w*|dt|c|rho|nu|"
        r"df|l1|l2|decay|threshold|prob|ratio|shrinkage|delta|momentum|\w*_ratio|\w*_rate|rate|temperature)$",
        "0.5 0.001 positives 3 features positived",
    ),
    (r"(random_state|rng|seed|^random$)", "state generator 0 none"),
    (
        r"^(f|func|fn|fun|function|callback|loss\w*|link|g|\w*_fn|\w*_func|activation|jac|fprime|criterion|"
        r"metric)$",
        "halved squares half duck",
    ),
    (r"(shape|_dims)$", "shape2 shape4 shape3 shape1 pair 3"),
    (
        r"^(verbose|debug|disp|\w*_inplace|copy|retain\w*|normali[sz]e|return_\w*|use_\w*|is_\w*|fit_\w*|"
        r"training|train)$",
        "false true",
    ),
    (r"^(ax|axis|title|out|name|path|filename|logger)$", "none string 0"),
    (r"(layers|hidden|sizes|units)", "sizes 3"),
    (r"(grad|delta|dout|error)", "X vector scores labelcolumn images"),
    (r"(image|img|frame)", "images images28 imageslast X"),
    (r"(model|net|estimator|tree|node|args|config|opt|options|env|agent|policy|optimi[sz]er|loader)", "duck"),
)
DATA = re.compile(r"^(X\w*|x_?train|data|features|samples|inputs?|instances|observations|dataset)$")
"""Names of what has a row for each sample."""
ANSWERS = re.compile(r"^([yY]\w*|t|[tT]argets?|[lL]abels?|response|outputs?)$")
"""Names of what is asked about each sample."""
CLASSIFYING = re.compile(r"(?i)logistic|classif|bayes|perceptron|softmax|discriminant|svm|svc|boost|cross_?entropy")
"""Names of models whose answers are classes."""
HINTS = (
    (
        r"too many indices|not enough values to unpack|expected 2D|at least two dim|must be 2-d|axis 1 is out",
        "X proba spd sequence images",
    ),
    (r"too many values to unpack", "X pair vector"),
    (r"expected 1D|1-d|1-dimensional|only 0-dimensional|only length-1|size-1 arrays|ambiguous", "vector 0.5 0.7"),
    (r"as an integer|must be integer|indices must be|integer .*type|expected.*int", "3 index labels 0"),
    (r"not callable", "halved squares"),
    (r"not iterable|not subscriptable|has no len|unsized", "vector X list* sizes"),
    (r"square|symmetric|positive.definite", "spd spdn"),
    (r"expected (3|4)D|4-dimensional|4D|4 dim|expected 4", "images images28 images32 imageslast"),
    (r"3-dimensional|expected 3", "sequence"),
    (r"has no attribute", "duck X"),
)
"""Parts of error messages, and the kinds that they ask for."""
SIZES = re.compile(
    r"not aligned|is different from|cannot be multiplied|size mismatch|broadcast|must match|incompatible"
    r"|same length|inconsistent"
)
"""Errors about sizes that do not fit."""
