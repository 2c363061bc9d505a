"""One verdict: the failure in a sentence, its source, plot and smallest input, machines, cures, and the replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from numlint import evidence as words
from numlint.report.page._markup import Markup, element, figure, joined, replay, table
from numlint.report.page._measure import measures
from numlint.report.page._plot import plot
from numlint.report.page._source import excerpt
from numlint.report.page._summary import MEANINGS, badge, place
from numlint.runtime.verdict import Boundary, CureResult, Evidence, Machine, Verdict


def article(verdict: Verdict, source: str, anchor: str) -> Markup:
    """The article of a verdict; `source` is the text of its file, empty when it is not at hand."""
    parts = [
        _heading(verdict, anchor),
        element("p", _sentence(verdict), class_="lead"),
        _aside("Why", verdict.reason),
        _aside("To decide it", verdict.remedy),
        _section("Source", _source(verdict, source)),
        *_evidence(verdict.evidence),
        _section("Machines", _machines(verdict.machines)),
        _section("Cures", _cures(verdict.cures)),
        _section("What was tried", _tried(verdict)),
        _section("Replay", _replay(verdict)),
    ]
    return element(
        "article",
        *parts,
        id=anchor,
        class_=verdict.status,
        data_status=verdict.status,
        aria_labelledby=f"{anchor}-title",
    )


def _section(title: str, content: Markup | None) -> Markup | None:
    return element("section", element("h3", title), content) if content else None


def _aside(title: str, text: str) -> Markup | None:
    return element("p", element("strong", f"{title}: "), text, class_="aside") if text else None


def _heading(verdict: Verdict, anchor: str) -> Markup:
    evidence = verdict.evidence
    title = joined(
        verdict.rule,
        " in " if verdict.function else None,
        element("code", verdict.function) if verdict.function else None,
    )
    return element(
        "header",
        element(
            "p",
            badge(verdict.status, verdict.status),
            badge(evidence.realism, f"realism {evidence.realism}") if evidence else None,
            badge(evidence.signature, "signature") if evidence else None,
        ),
        element("h2", title, id=f"{anchor}-title"),
        element("p", element("code", place(verdict)), f" {verdict.code}" if verdict.code else None, class_="place"),
    )


def _sentence(verdict: Verdict) -> Markup | str:
    """What a reviewer reads first."""
    evidence = verdict.evidence
    if evidence is None:
        return f"{MEANINGS.get(verdict.status, verdict.status).capitalize()}."
    measured = (
        f"{evidence.figure.name} {figure(evidence.figure.value)}{evidence.figure.unit and ' ' + evidence.figure.unit}"
    )
    said = words.boundary(asdict(evidence))
    if not said:
        return joined(element("strong", f"Fails in {evidence.format}"), f": {measured}.")
    first, *others = said
    rest = f" ({', '.join(others)})" if others else ""
    return joined(element("strong", f"Fails in {first}"), f"{rest}: {measured}.")


def _source(verdict: Verdict, source: str) -> Markup | None:
    if not source:
        return None
    origin = verdict.evidence.origin if verdict.evidence else None
    if origin is None:
        return excerpt(source, verdict.line)
    said = f"{origin.operation}({origin.operand}) = {origin.result}" if origin.operation else origin.text
    if origin.digits_lost:
        said += f", {figure(origin.digits_lost)} digits lost"
    return excerpt(source, verdict.line, origin.line, said)


def _evidence(evidence: Evidence | None) -> Iterator[Markup | None]:
    if evidence is None:
        return
    steps = [element("li", step) for step in evidence.chain]
    yield element("ol", *steps, class_="chain", aria_label="How the failure went on") if steps else None
    if not evidence.reaches_output:
        yield _aside("Note", "the failure does not reach what the function returns")
    yield _aside("Note", evidence.note)
    yield _section("Error against magnitude", _plotted(evidence))
    yield _section("From where on it fails", _boundary(evidence.boundary))
    yield _section("Smallest failing input", _smallest(evidence))


def _plotted(evidence: Evidence) -> Markup | None:
    boundary = evidence.boundary or Boundary(evidence.knob or "magnitude")
    return plot(evidence.curve, boundary.knob, boundary.fails_from, boundary.realistic, boundary.stress)


def _boundary(boundary: Boundary | None) -> Markup | None:
    if boundary is None or not boundary.fails_from or boundary.form:
        return None
    rows = [
        (name, "not within what was tried" if value is None else figure(value), _degree(boundary, value))
        for name, value in boundary.fails_from.items()
    ]
    return table(f"Least {boundary.knob} at which each format fails", ("format", "fails from", "realism"), rows)


def _degree(boundary: Boundary, value: float | None) -> str:
    if value is None or not boundary.stress:
        return "–"
    size = abs(value)
    return "realistic" if size <= boundary.realistic else "stress" if size <= boundary.stress else "extreme"


def _smallest(evidence: Evidence) -> Markup | None:
    sample = evidence.smallest
    if sample is None:
        return None
    rows = [(name, element("code", text)) for name, text in sample.arguments.items()]
    came, should = words.outcomes(asdict(evidence))
    should = "true value" if should == "true" else should
    got = [(came, element("code", sample.got, class_="bad")), (should, element("code", sample.true or "–"))]
    return table(f"In {sample.format}", ("name", "value"), [*rows, *got], class_="sample")


def _machines(machines: list[Machine]) -> Markup | None:
    if not machines:
        return None
    rows = [
        (
            machine.name,
            element("code", " ".join(f"{key}={value}" for key, value in machine.environment.items()) or "as it is"),
            machine.kernel if machine.honoured else joined(f"{machine.kernel} ", badge("not honoured", "caution")),
            element("code", machine.result or "–"),
            bar,
        )
        for machine, bar in zip(machines, measures([machine.figure for machine in machines]), strict=True)
    ]
    heads = ("machine", "environment", "kernels", "result", "figure (logarithmic)")
    return table("The same call in fresh processes", heads, rows, class_="machines")


def _cures(cures: list[CureResult]) -> Markup | None:
    if not cures:
        return None
    order = {"verified": 0, "changes-semantics": 1, "rejected": 2}
    return element(
        "ul", *(_cure(cure) for cure in sorted(cures, key=lambda cure: order.get(cure.status, 3))), class_="cures"
    )


def _cure(cure: CureResult) -> Markup:
    kind = {"verified": "good", "rejected": "bad"}.get(cure.status, "caution")
    measured = ""
    if cure.inputs:
        measured = (
            f"{cure.inputs} inputs; {cure.failed_before} failed before, {cure.failed_after} after; "
            f"largest error {figure(cure.error_before)} before, {figure(cure.error_after)} after"
        )
    rows = [(name, figure(before), figure(after)) for name, (before, after) in cure.by_format.items()]
    return element(
        "li",
        element(
            "p",
            badge(cure.status, kind),
            badge(cure.safety, "quiet") if cure.safety else None,
            element("strong", cure.summary),
        ),
        element("pre", element("code", cure.text), tabindex="0", aria_label="Rewrite") if cure.text else None,
        element("p", cure.reason, class_="quiet") if cure.reason else None,
        element("p", measured, class_="quiet") if measured else None,
        table("Largest relative error", ("format", "before", "after"), rows) if rows else None,
        class_=kind,
    )


def _tried(verdict: Verdict) -> Markup | None:
    entries = {
        "rung of the ladder": verdict.rung,
        "call": verdict.harness,
        **{name: _listed(value) for name, value in verdict.tried.items()},
        "stubbed": ", ".join(verdict.stubbed),
        "seconds": figure(verdict.seconds) if verdict.seconds else "",
    }
    listed = [element("div", element("dt", name), element("dd", said)) for name, said in entries.items() if said]
    return element("dl", *listed) if listed else None


def _listed(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_listed(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_listed(item) for item in value)
    return figure(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _replay(verdict: Verdict) -> Markup | None:
    line = verdict.replay
    if not line:
        return None
    return replay(line)
