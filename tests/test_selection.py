"""Which rules run where, by names, codes and prefixes."""

from __future__ import annotations

import pytest

from numlint.finding import Confidence, Severity
from numlint.rule import Rule
from numlint.selection import Layer, PathSettings, Selection, UnknownSelector, resolve


def rule(name: str, code: str) -> Rule:
    return Rule(name, code, "summary", "page", frozenset(), "nan", Severity.WARNING, lambda function: ())


SOFTMAX = rule("naive-softmax", "NL101")
LOGSUMEXP = rule("naive-logsumexp", "NL102")
INVERSE = rule("explicit-inverse", "NL401")
OWN = rule("own-rule", "NLX1")
RULES = (SOFTMAX, LOGSUMEXP, INVERSE, OWN)


def enabled(*layers: Layer, path: str = "a.py", per_path: tuple[PathSettings, ...] = ()) -> set[str]:
    return {rule.code for rule in Selection(RULES, layers, per_path).at(path).rules}


def test_everything_is_selected_by_default() -> None:
    assert enabled() == {"NL101", "NL102", "NL401", "NLX1"}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("naive-softmax", {"NL101"}),
        ("Naive-Softmax", {"NL101"}),
        ("NL101", {"NL101"}),
        ("nl101", {"NL101"}),
        ("NL1", {"NL101", "NL102"}),
        ("NL", {"NL101", "NL102", "NL401"}),
        ("NLX", {"NLX1"}),
        ("all", {"NL101", "NL102", "NL401", "NLX1"}),
        ("ALL", {"NL101", "NL102", "NL401", "NLX1"}),
    ],
)
def test_a_selector_is_a_name_a_code_or_a_prefix(selector: str, expected: set[str]) -> None:
    assert enabled(Layer(select=(selector,))) == expected


@pytest.mark.parametrize(
    ("selector", "suggestion"),
    [
        ("naive-sofmax", "naive-softmax"),
        ("naive_softmax", "naive-softmax"),
        ("explicit-invers", "explicit-inverse"),
        ("NL1O1", "NL101"),
        ("N", ""),
        ("E501", ""),
        ("", ""),
    ],
)
def test_an_unknown_selector_is_an_error_with_a_suggestion(selector: str, suggestion: str) -> None:
    with pytest.raises(UnknownSelector) as caught:
        resolve(selector, RULES)
    assert caught.value.suggestion == suggestion
    assert f"did you mean '{suggestion}'?" in str(caught.value) if suggestion else "numlint rules" in str(caught.value)


def test_ignore_takes_away_and_extend_select_adds() -> None:
    assert enabled(Layer(ignore=("NL1",))) == {"NL401", "NLX1"}
    assert enabled(Layer(select=("NL4",), extend_select=("naive-softmax",))) == {"NL101", "NL401"}


def test_within_a_layer_the_narrower_selector_wins() -> None:
    assert enabled(Layer(select=("NL101",), ignore=("NL1",))) == {"NL101"}
    assert enabled(Layer(select=("NL1",), ignore=("NL101",))) == {"NL102"}
    assert enabled(Layer(select=("all",), ignore=("NL",))) == {"NLX1"}


def test_at_the_same_width_ignore_wins() -> None:
    assert enabled(Layer(select=("naive-softmax", "NL4"), ignore=("NL101",))) == {"NL401"}


def test_the_command_line_overrules_the_configuration() -> None:
    configuration = Layer(select=("NL4",), ignore=("NL101",))
    assert enabled(configuration, Layer(select=("NL101",))) == {"NL101"}
    assert enabled(configuration, Layer(extend_select=("NL101",))) == {"NL101", "NL401"}
    assert enabled(configuration, Layer(ignore=("NL4",))) == set()


def test_path_settings_come_last() -> None:
    per_path = (
        PathSettings("tests/**", Layer(ignore=("NL1",)), Confidence.CERTAIN),
        PathSettings("tests/numeric/**", Layer(extend_select=("NL102",))),
    )
    selection = Selection(RULES, (Layer(select=("NL1", "NL4")),), per_path)
    codes = {
        path: {rule.code for rule in selection.at(path).rules} for path in ("a.py", "tests/a.py", "tests/numeric/a.py")
    }
    assert codes == {
        "a.py": {"NL101", "NL102", "NL401"},
        "tests/a.py": {"NL401"},
        "tests/numeric/a.py": {"NL102", "NL401"},
    }
    assert selection.at("a.py").min_confidence is Confidence.LIKELY
    assert selection.at("tests/numeric/a.py").min_confidence is Confidence.CERTAIN


def test_paths_with_equal_settings_share_their_rules() -> None:
    selection = Selection(RULES, per_path=(PathSettings("tests/**", Layer(ignore=("NL1",))),))
    assert selection.at("a.py") is selection.at("b.py")
    assert selection.at("a.py") is not selection.at("tests/b.py")


def test_an_unknown_selector_is_found_before_anything_runs() -> None:
    with pytest.raises(UnknownSelector):
        Selection(RULES, per_path=(PathSettings("tests/**", Layer(ignore=("naive-sofmax",))),))
