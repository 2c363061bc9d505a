"""Suppression comments: where they hold, what they name, and which are not needed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from numlint.finding import Confidence, Finding, Rewrite, Severity, Span
from numlint.rule import Rule
from numlint.suppress import UNUSED, Suppression, apply, directives


def rule(name: str, code: str) -> Rule:
    return Rule(name, code, "summary", "page", frozenset(), "nan", Severity.WARNING, lambda function: ())


SOFTMAX = rule("naive-softmax", "NL101")
LOGSUMEXP = rule("naive-logsumexp", "NL102")
INVERSE = rule("explicit-inverse", "NL401")
RULES = (UNUSED, SOFTMAX, LOGSUMEXP, INVERSE)


def finding(line: int, end_line: int = 0, found: Rule = SOFTMAX) -> Finding:
    return Finding(
        found.name,
        found.code,
        "a.py",
        Span(line, 5, end_line or line, 20),
        "f",
        "it overflows",
        Confidence.LIKELY,
        Severity.WARNING,
        "overflow",
        "numpy",
    )


def suppress(source: str, *findings: Finding, ran: tuple[Rule, ...] = RULES) -> Suppression:
    return apply(dedent(source), "a.py", findings, ran=ran, known=RULES)


def kept_lines(source: str, *lines: int) -> list[int]:
    """The lines that still have a finding, of those given."""
    return [kept.span.line for kept in suppress(source, *map(finding, lines)).kept]


class TestWhere:
    def test_on_the_line(self) -> None:
        source = """\
            p = f(z)  # numlint: ignore[naive-softmax] the logits are bounded
            q = f(z)
            """
        assert kept_lines(source, 1, 2) == [2]

    def test_on_the_line_above(self) -> None:
        source = """\
            # numlint: ignore[naive-softmax]
            p = f(z)
            q = f(z)
            """
        assert kept_lines(source, 2, 3) == [3]

    def test_other_comments_and_blank_lines_may_stand_between(self) -> None:
        source = """\
            # numlint: ignore[naive-softmax] the logits are bounded:
            # see the paper

            p = f(z)
            """
        assert kept_lines(source, 4) == []

    def test_two_comments_above_hold_both(self) -> None:
        source = """\
            # numlint: ignore[naive-softmax]
            # numlint: ignore[explicit-inverse]
            p = f(z)
            """
        assert suppress(source, finding(3), finding(3, found=INVERSE)).kept == []

    def test_a_comment_behind_code_says_nothing_about_the_next_line(self) -> None:
        source = """\
            p = f(z)  # numlint: ignore[naive-softmax]
            q = f(z)
            """
        assert kept_lines(source, 2) == [2]

    @pytest.mark.parametrize("line", [1, 5])
    def test_the_ends_of_a_statement_hold_for_all_of_it(self, line: int) -> None:
        lines = ["p = (", "    f(z)", "    / g(z)", "    + 1", ")", "q = f(z)"]
        lines[line - 1] += "  # numlint: ignore[naive-softmax]"
        assert kept_lines("\n".join(lines), 2, 3, 6) == [6]

    def test_a_comment_above_a_statement_holds_for_all_of_it(self) -> None:
        assert kept_lines("# numlint: ignore\np = (\n    f(z)\n)\nq = f(z)\n", 3, 5) == [5]

    def test_within_a_statement_it_holds_for_its_line(self) -> None:
        source = """\
            p = [
                f(z),
                f(z),  # numlint: ignore[naive-softmax]
                f(z),
            ]
            """
        assert kept_lines(source, 2, 3, 4) == [2, 4]

    def test_within_a_statement_it_holds_for_the_line_below(self) -> None:
        source = """\
            p = [
                f(z),
                # numlint: ignore[naive-softmax]
                f(z),
                f(z),
            ]
            """
        assert kept_lines(source, 2, 4, 5) == [2, 5]

    def test_any_line_of_a_finding_will_do(self) -> None:
        source = """\
            p = g(
                f(z)
                / h(z),  # numlint: ignore[naive-softmax]
                1,
            )
            """
        assert suppress(source, finding(2, 3)).kept == []

    def test_a_header_says_nothing_about_its_body(self) -> None:
        source = """\
            def f(z):  # numlint: ignore
                return g(z)
            """
        assert kept_lines(source, 1, 2) == [2]

    def test_the_whole_file(self) -> None:
        assert kept_lines("p = f(z)\nq = f(z)\n# numlint: file-ignore[NL1]\n", 1, 2) == []

    def test_a_region(self) -> None:
        source = """\
            a = f(z)
            # numlint: off[naive-softmax]
            b = f(z)
            c = f(z)
            # numlint: on[naive-softmax]
            d = f(z)
            """
        assert kept_lines(source, 1, 3, 4, 6) == [1, 6]

    def test_a_region_without_an_end_reaches_to_the_end_of_the_file(self) -> None:
        assert kept_lines("a = f(z)\n# numlint: off\nb = f(z)\n", 1, 3) == [1]

    def test_within_a_region_a_rule_can_be_switched_on_again(self) -> None:
        source = """\
            # numlint: off
            a = f(z)
            # numlint: on[NL4]
            b = f(z)
            """
        assert suppress(source, finding(4)).kept == []
        assert len(suppress(source, finding(4, found=INVERSE)).kept) == 1

    def test_a_hash_within_a_string_is_no_comment(self) -> None:
        source = '''\
            text = "# numlint: ignore"; p = f(z)
            """
            # numlint: file-ignore
            """
            '''
        assert kept_lines(source, 1) == [1]


class TestWhat:
    @pytest.mark.parametrize(
        "names", ["[naive-softmax]", "[NL101]", "[nl1]", "[ explicit-inverse , NL101 ]", " [NL]", "[all]", ""]
    )
    def test_names_codes_and_prefixes_suppress(self, names: str) -> None:
        assert kept_lines(f"p = f(z)  # numlint: ignore{names}\n", 1) == []

    @pytest.mark.parametrize("names", ["[explicit-inverse]", "[NL4]", "[naive-sofmax]"])
    def test_other_names_do_not(self, names: str) -> None:
        assert kept_lines(f"p = f(z)  # numlint: ignore{names}\n", 1) == [1]

    @pytest.mark.parametrize(
        "comment",
        [
            "# noqa: E501  # numlint: ignore[NL101]",
            "# numlint: ignore[NL101]  # type: ignore[attr-defined]",
            "#numlint:ignore[NL101]",
        ],
    )
    def test_other_remarks_may_stand_beside_it(self, comment: str) -> None:
        assert kept_lines(f"p = f(z)  {comment}\n", 1) == []

    @pytest.mark.parametrize("separator", [" ", ": ", " - ", " -- "])
    def test_a_reason_follows(self, separator: str) -> None:
        (directive,) = directives(f"p = f(z)  # numlint: ignore[NL101]{separator}logits are bounded # noqa\n")
        assert (directive.selectors, directive.reason) == (("NL101",), "logits are bounded")

    def test_what_was_suppressed_is_counted(self) -> None:
        outcome = suppress("p = f(z)  # numlint: ignore\nq = f(z)\n", finding(1), finding(1, found=INVERSE), finding(2))
        assert (outcome.suppressed, len(outcome.kept)) == (2, 1)


class TestUnused:
    @staticmethod
    def remarks(source: str, *findings: Finding, ran: tuple[Rule, ...] = RULES) -> list[str]:
        return [remark.message for remark in suppress(source, *findings, ran=ran).unused]

    def test_a_comment_that_is_needed_is_not_mentioned(self) -> None:
        assert self.remarks("p = f(z)  # numlint: ignore[naive-softmax]\n", finding(1)) == []

    @pytest.mark.parametrize("action", ["ignore", "file-ignore", "off"])
    def test_a_comment_that_suppresses_nothing_is_found(self, action: str) -> None:
        outcome = suppress(f"p = f(z)  # numlint: {action}[naive-softmax] because\n")
        (remark,) = outcome.unused
        assert remark.message == "unused suppression: it suppresses no finding of naive-softmax"
        assert (remark.rule, remark.code, remark.path) == ("unused-suppression", "NL001", "a.py")
        assert remark.span == Span(1, 11, 1, 11 + len(f"# numlint: {action}[naive-softmax] because"))
        assert remark.fingerprint

    def test_a_bare_comment_that_suppresses_nothing_is_found(self) -> None:
        assert self.remarks("p = 1  # numlint: ignore\n") == ["unused suppression: it suppresses nothing"]

    def test_only_the_names_that_are_not_needed_are_mentioned(self) -> None:
        assert self.remarks("p = f(z)  # numlint: ignore[naive-softmax, NL4]\n", finding(1)) == [
            "unused suppression: it suppresses no finding of NL4"
        ]

    def test_a_comment_without_a_statement_below_is_found(self) -> None:
        assert len(self.remarks("p = f(z)\n# numlint: ignore\n", finding(1))) == 1

    def test_of_two_comments_for_one_finding_the_wider_is_not_needed(self) -> None:
        source = "# numlint: file-ignore[NL1]\np = f(z)  # numlint: ignore[NL101]\n"
        (remark,) = suppress(source, finding(2)).unused
        assert remark.span.line == 1

    def test_a_switch_on_without_a_switch_off_is_found(self) -> None:
        assert self.remarks("p = 1\n# numlint: on[NL1]\n") == ["unused suppression: nothing is switched off here"]

    def test_a_switch_on_that_ends_a_region_is_needed(self) -> None:
        source = "# numlint: off[NL1]\np = f(z)\n# numlint: on[NL101]\n"
        assert self.remarks(source, finding(2)) == []

    def test_a_rule_that_did_not_run_may_still_need_it(self) -> None:
        comment = "p = f(z)  # numlint: ignore{}\n"
        assert self.remarks(comment.format("[NL101]"), ran=(UNUSED, INVERSE)) == []
        assert self.remarks(comment.format("[NL1]"), ran=(UNUSED, SOFTMAX)) == []
        assert self.remarks(comment.format(""), ran=(UNUSED, SOFTMAX)) == []
        assert len(self.remarks(comment.format("[NL101]"), ran=(UNUSED, SOFTMAX))) == 1

    def test_nothing_is_said_when_the_rule_is_not_selected(self) -> None:
        assert self.remarks("p = 1  # numlint: ignore[NL101]\n", ran=(SOFTMAX,)) == []

    def test_it_can_be_excused_by_name_only(self) -> None:
        assert self.remarks("p = 1  # numlint: ignore[NL101, unused-suppression]\n") == []
        assert self.remarks("# numlint: file-ignore[NL001]\np = 1  # numlint: ignore[NL101]\n") == []
        assert len(self.remarks("p = 1  # numlint: ignore[all]\n")) == 1

    def test_an_unknown_rule_is_corrected(self) -> None:
        assert self.remarks("p = f(z)  # numlint: ignore[naive-sofmax]\n", finding(1)) == [
            "unused suppression: no rule has the name or code 'naive-sofmax'; did you mean 'naive-softmax'?"
        ]

    @pytest.mark.parametrize(
        ("comment", "message"),
        [
            ("# numlint: ingore[NL101]", "`# numlint: ingore` means nothing; did you mean 'ignore'?"),
            ("# numlint: noqa", "`# numlint: noqa` means nothing; one of ignore, file-ignore, off, on"),
            ("# numlint: ignore[NL101", "`# numlint: ignore[...` has no closing bracket"),
            ("# numlint: ignore[]", "`# numlint: ignore[]` names no rule; leave the brackets away to mean every rule"),
        ],
    )
    def test_a_comment_that_is_not_understood_suppresses_nothing_and_is_found(self, comment: str, message: str) -> None:
        outcome = suppress(f"p = f(z)  {comment}\n", finding(1))
        assert [remark.message for remark in outcome.unused] == [message]
        assert len(outcome.kept) == 1

    def test_broken_source_loses_no_comment_before_the_break(self) -> None:
        assert kept_lines("p = f(z)  # numlint: ignore\nq = (\n", 1) == []


def applied(source: str, rewrite: Rewrite | None) -> str:
    """The source with a rewrite of one edit applied."""
    assert rewrite is not None
    (edit,) = rewrite.edits
    lines = [*source.splitlines(keepends=True), ""]
    start = sum(map(len, lines[: edit.span.line - 1])) + edit.span.column - 1
    end = sum(map(len, lines[: edit.span.end_line - 1])) + edit.span.end_column - 1
    return source[:start] + edit.text + source[end:]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("p = 1  # numlint: ignore[NL4] because\nq = 2\n", "p = 1\nq = 2\n"),
        ("p = 1  # numlint: ignore[NL4]", "p = 1"),
        ("    # numlint: ignore[NL4] because\nq = 2\n", "q = 2\n"),
        ("q = 2\r\n# numlint: ignore\r\np = 1\r\n", "q = 2\r\np = 1\r\n"),
        ("q = 2\n# numlint: ignore", "q = 2\n"),
        ("p = 1  # noqa: E501  # numlint: ignore[NL4]\n", "p = 1  # noqa: E501\n"),
        ("p = 1  # numlint: ignore[NL4]  # noqa: E501\n", "p = 1  # noqa: E501\n"),
    ],
)
def test_the_fix_removes_the_comment_and_nothing_else(before: str, after: str) -> None:
    (remark,) = apply(before, "a.py", (), ran=RULES, known=RULES).unused
    assert applied(before, remark.rewrite) == after


def test_the_fix_keeps_the_names_that_are_needed() -> None:
    source = "p = f(z)  # numlint: ignore[NL4, naive-softmax, explicit-inverse] because\n"
    (remark,) = apply(source, "a.py", [finding(1)], ran=RULES, known=RULES).unused
    assert applied(source, remark.rewrite) == "p = f(z)  # numlint: ignore[naive-softmax] because\n"
