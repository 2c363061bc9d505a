"""The page of the lab: everything that was measured stands in it, nothing is fetched, and nothing can break it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest

from numlint.lab.boundary import Boundary
from numlint.lab.conclusion import Conclusion
from numlint.lab.machines import Repeated, Weights
from numlint.lab.mitigations import mitigations
from numlint.lab.recommend import Remedy, Trial
from numlint.lab.results import Asked
from numlint.lab.sweep import read
from numlint.lab.task import Parameter, Task
from numlint.report.lab.page import render
from numlint.report.lab.page._layers import departures
from numlint.report.lab.page._lines import POINTS, Curve, panel
from numlint.report.lab.page._scale import Scale
from numlint.runtime.lab.record import Conditions, Epoch, Finding, Layer, Phase, Run

PARAMETERS = (
    Parameter("precision", "float64", choices=("float64", "float32", "float16")),
    Parameter("lr", 0.1),
    Parameter("l2", 0.0),
    Parameter("note", ""),
)
TASK = Task("mlp", "several classes", {item.name: item for item in PARAMETERS})
VOID = {"br", "col", "meta"}


class Reader(HTMLParser):
    """Elements that are closed in order, and addresses that they name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run(status: str, losses: Sequence[float], changes: dict[str, Any], **more: Any) -> Run:
    epochs = [Epoch(number, loss, gradient_norm=loss, weight_norm=1.0) for number, loss in enumerate(losses)]
    return Run(
        TASK.configuration(changes), status, epochs=epochs, final_loss=losses[-1] if losses else math.nan, **more
    )


def overflowing() -> Run:
    found = run(
        "diverged",
        (1.0, 40.0, math.nan),
        {"precision": "float16", "lr": 1.0},
        phases=[Phase("healthy", 0, 0), Phase("exploding", 1, 2, "the loss grew 40 times")],
        findings=[Finding("overflow", 2, "65600 in float16", layer="layer2", where="train.py:31")],
        conditions=Conditions(gram=2.4e7, largest_stable_lr=0.05),
    )
    for epoch in found.epochs:
        up = "overflow" if epoch.epoch == 2 else ""
        epoch.layers = [Layer("layer1", 10.0, 1e-2), Layer("layer2", math.inf if up else 5e4, 1e-2, out_of_range=up)]
    return found


GOOD = run("converged", (1.0, 0.5, 0.2), {"lr": 0.1}, conditions=Conditions(gram=2.4e7, largest_stable_lr=0.5))
SWEPT = ["precision=float64,float16", "lr=0.1,1", "lambda=0,1e-3"]


def shown(*runs: Run, sweeps: Sequence[str] = SWEPT, **more: Any) -> str:
    asked = Asked(read(TASK, sweeps), ("numlint", "lab", "--task", "mlp"), "/usr/bin/python", "2026-01-01")
    return render(Conclusion(asked, runs, **{"seconds": 1.5, "folder": "results", **more}))


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>", 1)[1]).split())


def everything() -> str:
    bad = overflowing()
    named = {item.name: item for item in mitigations()}
    lower = Trial((named["lower lr"],), {"lr": 0.04}, GOOD, "cured")
    clip = Trial((named["clip the gradient"],), {"clip": 1.0}, bad, "no help")
    weights = Weights(GOOD, (Repeated("Haswell", True, GOOD), Repeated("SkylakeX", False, bad)))
    boundary = Boundary("lr", TASK.configuration({}), 0.1, 1.0, 0.5, 2)
    return shown(GOOD, bad, remedies=(Remedy(bad, 3, (clip, lower)),), weights=(weights,), boundaries=(boundary,))


def test_it_is_one_file_that_is_well_formed() -> None:
    page = everything()
    assert [address for address in Reader(page).addresses if not address.startswith("#")] == []
    assert re.findall(r"url\(|@import|https?://", page) == []


def test_it_says_what_failed_and_what_helps_first() -> None:
    told = text(everything())
    assert told.startswith("To the results numlint lab mlp: 1 of 2 runs failed")
    assert "cures 3 runs lower lr" in told
    assert told.index("cures 3 runs") < told.index("The grid")


def test_there_is_a_map_for_each_pair_of_swept_settings() -> None:
    page = everything()
    names = re.findall(r"<caption>(\w+ and \w+)</caption>", page)
    assert names == ["precision and lr", "precision and lambda", "lr and lambda"]
    single = shown(GOOD, sweeps=["lr=0.1,1"])
    assert single.count('class="heat"') == 1


def test_a_cell_has_the_median_and_the_share_that_failed() -> None:
    runs = [run("converged", (1.0, loss), {"lr": 0.1, "l2": loss}) for loss in (0.2, 0.4)]
    broken = run("diverged", (1.0, math.inf), {"lr": 0.1, "l2": 3.0})
    page = shown(*runs, broken, sweeps=["precision=float64,float16", "lr=0.1,1", "lambda=0.2,0.4,3"])
    assert "0.3" in text(page)
    assert "1 of 3 failed" in text(page)


def test_where_a_boundary_was_searched_the_map_is_of_the_boundary() -> None:
    found = [
        Boundary("lr", TASK.configuration({"precision": name}), low, 2 * low)
        for name, low in (("float64", 0.5), ("float16", 0.01))
    ]
    asked = Asked(read(TASK, ["precision=float64,float16"], [], "lr=1e-3:10"))
    told = text(render(Conclusion(asked, (GOOD,), tuple(found))))
    assert "Where lr begins to fail" in told
    assert "float64 float16 0.707 0.0141" in told


def test_what_is_beyond_all_measure_does_not_flatten_the_rest() -> None:
    curves = [Curve("wild", [(0, 1.0), (1, 1e200)], "ink-loss"), Curve("tame", [(0, 1.0), (1, 0.1)], "ink-loss")]
    picture = panel(curves, "loss", 1, 200) or ""
    assert 'class="cross ink-loss"' in picture
    assert "beyond" in picture


def test_the_title_counts() -> None:
    bad = overflowing()
    sick = run("exhausted", (1.0, 0.9), {}, findings=[Finding("lost-update", 1, "half of them")])
    titles = [shown(*runs).split("<h1>")[1].split("</h1>")[0] for runs in ((GOOD,), (GOOD, sick), (bad, sick))]
    assert titles == [
        "mlp: 1 run, none failed",
        "mlp: 1 of 2 runs shows a signature of failure",
        "mlp: 1 of 2 runs failed, 1 more shows a signature of failure",
    ]


def test_the_first_layer_to_leave_the_range_is_named() -> None:
    bad = overflowing()
    assert [item.layer.name for item in departures(bad)] == ["layer2"]
    assert "layer2 leaves the range of float16 first: overflow in epoch 2" in text(shown(bad))


def test_evidence_command_and_surroundings_are_there() -> None:
    told = text(everything())
    for part in (
        "the loss grew 40 times",
        "65600 in float16 train.py:31",
        "2/lambda_max",
        "not here",
        "no help",
        "numlint lab --task mlp",
        "/usr/bin/python",
    ):
        assert part in told


def test_phases_are_shaded_behind_the_curves() -> None:
    page = everything()
    assert 'class="phase wild"' in page
    assert "exploding, epochs 1 to 2. the loss grew 40 times" in page


def test_names_of_the_user_cannot_break_out() -> None:
    hostile = run("failed", (), {"note": "</style><script>alert(1)</script>"}, reason="<b>no</b>\x1b[31m")
    page = shown(hostile, sweeps=["note=a,b"])
    assert "<script>alert" not in page
    assert "<b>no</b>" not in page
    Reader(page)


@pytest.mark.parametrize("runs", [(), (run("refused", (), {}),), (run("diverged", (math.nan,), {}),)])
def test_little_is_enough(runs: tuple[Run, ...]) -> None:
    Reader(shown(*runs))


def test_an_oscillation_is_not_thinned_away() -> None:
    wild = [(epoch, 1.0 + epoch % 2) for epoch in range(10 * POINTS)]
    picture = panel([Curve("loss", wild, "ink-loss")], "loss", len(wild), 200) or ""
    points = re.findall(r"([\d.]+),([\d.]+)", picture.split('points="')[1].split('"')[0])
    assert len(points) <= 3 * POINTS
    assert len({y for _, y in points}) == 2


def test_colours_grow_darker_and_their_numbers_stay_legible() -> None:
    scale = Scale.of([1e-3, 10.0])
    assert scale is not None
    assert (scale.color(1e-3), scale.color(10.0)) == ("#fde725", "#440154")
    assert (scale.ink(1e-3), scale.ink(10.0)) == ("#000", "#fff")
    assert Scale.of([math.inf, math.nan]) is None
