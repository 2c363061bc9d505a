"""The settings that several tasks read, each with the one meaning that it has in all of them."""

from __future__ import annotations

from .tasks import Option

PRECISION = Option(
    "float64",
    "format of the arithmetic; mixed: float32 weights, float16 passes",
    ("float64", "float32", "float16", "bfloat16", "mixed"),
)
DATA = {
    "data": Option("synthetic", "synthetic, onehot, sklearn:NAME, or a .csv, .parquet or .npz file"),
    "target": Option("", "column of the target in a file; the last one where it is empty"),
    "rows": Option(200, "examples of a synthetic design"),
    "columns": Option(5, "features of a synthetic design"),
    "condition": Option(1.0, "condition number of a synthetic design"),
    "noise": Option(0.1, "standard deviation of the noise in a synthetic regression"),
    "scale": Option(1.0, "factor on all features"),
    "offset": Option(0.0, "shift of all features, after the factor"),
    "standardise": Option(
        "none",
        "centre and scale the features in the format of the run; one-pass is mean(x*x) - mean(x)**2",
        ("none", "two-pass", "one-pass"),
    ),
    "seed": Option(0, "of the data and of the initial weights"),
}
DESCENT = {
    "precision": PRECISION,
    "lr": Option(0.1, "learning rate"),
    "l2": Option(0.0, "weight of the penalty |w|**2 / 2; also called lambda"),
    "momentum": Option(0.0, "share of the last step that is added to the next"),
    "clip": Option(None, "largest norm of the gradient; none: not clipped"),
    "epochs": Option(300, "at most so many passes over the data"),
    "batch": Option(None, "examples in a step; none: all"),
    "order": Option(0, "seed of the order of the batches"),
    "stop": Option(
        "robust",
        "none; single-step: one small change of the loss; gradient: a small gradient; robust: see numlint.stopping",
        ("none", "single-step", "gradient", "robust"),
    ),
    "tolerance": Option(1e-6, "of the stopping rule"),
    "loss_scale": Option(None, "factor on the loss in the backward pass; none: 1024 in mixed precision, else 1"),
}
LOSS = Option(
    "stable", "naive: exp, log and quotients as in the textbook; stable: overflow is impossible", ("naive", "stable")
)
BACKEND = Option("numpy", "library that computes; torch must be installed", ("numpy", "torch"))
