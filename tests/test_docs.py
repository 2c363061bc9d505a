"""The documents are true: their commands are run, their code is linted, their settings read, their links followed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest

from numlint import config, packs, report
from numlint.cli import group, init
from numlint.confirm.prove import identity
from numlint.graph import vocabulary
from numlint.pages import builtin, measured, pages, with_overview
from tests.documents import ROOT, Block, Workspace, agrees, blocks, commands, difference, with_perturbations

README = ROOT / "README.md"
RULE_PAGES = sorted((ROOT / "docs" / "rules").glob("*.md"))
WRITTEN = [README, *sorted((ROOT / "docs").glob("*.md"))]
RENEW = "python -m tests.documents FILE, from the root of the checkout, renews what the documents show"
MEASURE = "numlint rules --prove --strict --output-format json > docs/evidence.json, and make the pages again"
MAKE = "python -m numlint.pages docs/rules README.md, from the root of the checkout, makes the pages again"
LANGUAGES = {"console", "diff", "python", "sh", "text", "toml", "yaml"}

each_document = pytest.mark.parametrize("document", WRITTEN, ids=lambda path: path.name)


@cache
def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks_of(document: Path, language: str) -> list[Block]:
    return [block for block in blocks(text_of(document)) if block.language == language]


def where(document: Path, block: Block) -> str:
    return f"{document.relative_to(ROOT)}:{block.line}"


@each_document
def test_commands_print_what_is_shown(document: Path, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    for block in blocks(text_of(document)):
        if "file" in block.marks:
            workspace.write(block)
        elif block.language == "console" and "demo" not in block.marks:
            assert commands(block), f"{where(document, block)}: no line begins with `$ `"
            for command in commands(block):
                printed = workspace.run(command.text)
                assert agrees(command.shown, printed), (
                    f"{where(document, block)}: {command.text}\n{difference(command.shown, printed)}\n({RENEW})"
                )


def found_in(files: dict[str, str], folder: Path) -> dict[str, set[str]]:
    """The rules that fire on some files, as numlint is called in a folder."""
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(body)
    done = subprocess.run(
        [sys.executable, "-m", "numlint", "check", "--output-format", "json", *files],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout)
    assert answer["problems"] == []
    found: dict[str, set[str]] = {name: set() for name in files}
    for finding in answer["findings"]:
        found[finding["path"]].add(finding["rule"])
    return found


@pytest.mark.parametrize(
    "document", [path for path in WRITTEN if blocks_of(path, "python")], ids=lambda path: path.name
)
def test_python_is_linted_as_its_block_says(document: Path, tmp_path: Path) -> None:
    """A block has the findings that ``finds=`` names, or none."""
    workspace = Workspace.create(tmp_path)
    files, stated = {}, {}
    for number, block in enumerate(blocks(text_of(document))):
        if block.language == "python":
            name = block.marks.get("file", f"block{number}.py")
            files[name] = block.body
            stated[name] = {part for part in block.marks.get("finds", "").split(",") if part}
        elif "file" in block.marks and "broken" not in block.marks:
            workspace.write(block)
    assert found_in(files, tmp_path) == stated


@pytest.mark.parametrize("page", RULE_PAGES, ids=lambda path: path.stem)
def test_python_of_the_rule_pages_parses(page: Path) -> None:
    for block in blocks_of(page, "python"):
        compile(block.body, where(page, block), "exec")


def each_block(language: str) -> pytest.MarkDecorator:
    """Run a test for each block of a language, in all documents."""
    cases = [
        pytest.param(block, id=where(document, block))
        for document in WRITTEN
        for block in blocks_of(document, language)
    ]
    return pytest.mark.parametrize("block", cases)


@each_block("toml")
def test_settings_are_read(block: Block, tmp_path: Path) -> None:
    document = config.parse_toml(block.body)
    if "project" in document:
        assert packs.GROUP in document["project"]["entry-points"]
        return
    file = tmp_path / Path(block.marks.get("file", "pyproject.toml")).name
    file.write_text(block.body)
    if "broken" in block.marks:
        with pytest.raises(config.ConfigError):
            config.load(str(file)).check_rules(builtin())
        return
    read = config.load(str(file))
    if not read.rule_packs:
        read.check_rules(builtin())


def test_every_setting_has_an_example() -> None:
    shown = config.parse_toml(blocks_of(ROOT / "docs" / "configuration.md", "toml")[0].body)["tool"]["numlint"]
    assert shown.keys() == config.CONFIG_KEYS.keys()
    assert {key for table in shown["per-path"].values() for key in table} >= config.PATH_KEYS.keys() - {"select"}
    assert shown["confirm"].keys() == config.CONFIRM_KEYS.keys()
    assert tuple(shown["src"]) == config.Config().src


@each_block("yaml")
def test_pre_commit_accepts_its_configuration(block: Block, tmp_path: Path) -> None:
    import yaml  # type: ignore[import-untyped]

    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text(block.body)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    (repository,) = yaml.safe_load(block.body)["repos"]
    if repository["repo"] == "local":
        assert repository == yaml.safe_load(init.HOOK)[0]
    else:
        offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in offered}


@pytest.mark.parametrize("document", [*WRITTEN, *RULE_PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_says_its_language_and_every_link_leads_somewhere(document: Path) -> None:
    text = text_of(document)
    unknown = [where(document, block) for block in blocks(text) if block.language not in LANGUAGES]
    assert unknown == []
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), f"{target} does not exist"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text_of(file), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{target}: no such heading"


def test_the_evidence_is_that_which_was_measured() -> None:
    record = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
    assert text_of(ROOT / "docs" / "evidence.md") == measured(builtin(), record, "rules"), MAKE


def test_every_rule_is_in_the_evidence_and_none_of_it_is_out_of_date() -> None:
    record = json.loads((ROOT / "docs" / "evidence.json").read_text(encoding="utf-8"))
    proofs = {entry["rule"]: entry["proofs"] for entry in record}
    for rule in packs.load(config.load("")):
        if not rule.signature:
            continue
        found = {(proof["kind"], proof["number"]): proof for proof in proofs.get(rule.name, [])}
        expected = [
            (kind, number, example)
            for kind in ("bad", "good", "limit")
            for number, example in enumerate(getattr(rule, kind))
            if example.call
        ]
        expected += [("fixed", number, item) for kind, number, item in expected if kind == "bad" and item.fixed]
        assert set(found) == {(kind, number + 1) for kind, number, _ in expected}, f"{rule.name} ({MEASURE})"
        for kind, number, _ in expected:
            proof = found[kind, number + 1]
            assert proof["status"] == "passed"
            assert proof["example"] == identity(rule, kind, number), f"{rule.name}, {kind} {number + 1} ({MEASURE})"
        if any(kind == "fixed" for kind, _, _ in expected):
            shown, _, _ = text_of(ROOT / "docs" / "evidence.md").partition("## What the bad examples show")
            assert f"[{rule.name}](rules/{rule.name}.md)" in shown


def test_the_pages_are_those_of_the_rules() -> None:
    made = pages(builtin(), Path("docs/rules"))
    assert {page.name for page in RULE_PAGES} == made.keys(), MAKE
    stale = [page.name for page in RULE_PAGES if text_of(page) != made[page.name]]
    assert stale == [], MAKE


def test_the_readme_lists_the_rules() -> None:
    renewed = with_overview(text_of(README), Path("README.md"), builtin(), Path("docs/rules"))
    assert text_of(README) == renewed, MAKE


def test_the_perturbations_are_described_as_their_modules_do() -> None:
    text = text_of(ROOT / "docs" / "perturbations.md")
    assert text == with_perturbations(text), RENEW


@pytest.mark.parametrize(
    "section",
    re.split(r"^## ", text_of(ROOT / "docs" / "playbook.md"), flags=re.MULTILINE)[1:],
    ids=lambda section: section.partition("\n")[0],
)
def test_each_symptom_has_a_command_that_finds_one_of_its_rules(section: str) -> None:
    title = section.partition("\n")[0]
    named = set(re.findall(r"\(rules/([a-z0-9-]+)\.md\)", section))
    shown = [line for block in blocks(section) if block.language == "console" for line in block.body.splitlines()]
    fired = {word for line in shown for word in line.split() if word in named}
    if not named:  # what no formula shows, a run or a probe of the lab does
        lab = [line for line in shown if line.startswith("$ numlint lab ")]
        assert lab, f"{title}: no rule is named, and no command of the lab"
        assert len(shown) > len(lab), f"{title}: nothing is shown that the lab says"
        return
    assert fired, f"{title}: no command finds one of {', '.join(sorted(named))}"


def test_the_vocabulary_that_is_quoted_is_there() -> None:
    quoted = {block.marks["vocabulary"]: block for block in blocks_of(ROOT / "docs" / "writing-a-rule.md", "text")}
    for line in quoted["FUNCTIONS"].body.splitlines():
        operation, signature, *groups = line.split()
        for group_ in groups:
            module, _, name = group_.partition(":")
            expected = vocabulary.Operation(operation, tuple(signature.split(",")))
            assert vocabulary.function(f"{module}.{name}") == expected, line
    for line in quoted["METHODS"].body.splitlines():
        left, _, names = line.partition("|")
        operation, *operands = left.split()
        for name in names.split():
            assert vocabulary.method(name) == vocabulary.Operation(operation, tuple(operands)), line


def test_the_architecture_names_every_module() -> None:
    text = text_of(ROOT / "docs" / "architecture.md")
    names = {path.name + ("/" if path.is_dir() else "") for path in (ROOT / "numlint").iterdir()}
    modules = {name for name in names if name.endswith((".py", "/")) and name not in ("__init__.py", "__pycache__/")}
    assert {name for name in modules if f"`{name}`" not in text} == set()
    for name in re.findall(r"`((?:\w+/)*\w+\.py)`", text):
        found = [path for folder in ("numlint", "runtime") for path in (ROOT / folder).rglob(name)]
        assert (ROOT / name).exists() or found, f"{name} is no file"


def test_the_readme_names_every_command_format_and_exit_code() -> None:
    text = text_of(README)
    assert [name for name in report.formats() if f"`{name}`" not in text] == []
    assert [name for name in group.list_commands(click.Context(group)) if f"`numlint {name}" not in text] == []


def first_lines() -> tuple[str, str]:
    trial, tests = (block.body.strip() for block in blocks_of(README, "sh"))
    return trial, tests


def test_two_lines_do_everything() -> None:
    """One command line each: it makes an environment, installs this checkout, and does what it is for."""
    for line in first_lines():
        assert "\n" not in line
        make, activate, install, *_ = (shlex.split(step) for step in line.split(" && "))
        assert make == ["python3", "-m", "venv", ".venv"]
        assert activate == [".", ".venv/bin/activate"]
        assert install[:3] == ["pip", "install", "--quiet"]
        assert install[-1] in (".", ".[test]")


def test_the_tests_are_run_as_continuous_integration_runs_them() -> None:
    command = first_lines()[1].split(" && ")[-1]
    assert f'step "tests";  {command}\n' in (ROOT / ".ci" / "run").read_text()


def quotation() -> tuple[str, list[str]]:
    """The last step of the first line, and what the README shows of its output."""
    (block,) = (block for block in blocks_of(README, "console") if "demo" in block.marks)
    (command,) = commands(block)
    assert command.text == first_lines()[0].split(" && ")[-1]
    return command.text, command.shown


def test_what_is_quoted_about_the_fixtures_is_printed(tmp_path: Path) -> None:
    printed = "\n".join(Workspace.create(tmp_path).run("numlint check fixtures"))
    parts = "\n".join(quotation()[1]).split("\n...")
    about = [part.strip("\n") for part in parts if part.strip().startswith("fixtures/")]
    assert about
    assert [part for part in about if part not in printed] == [], RENEW


def test_the_first_line_prints_what_is_quoted(tmp_path: Path) -> None:
    """Needs the network for one small package; in continuous integration it is never left out."""
    workspace = Workspace.create(tmp_path)
    said = workspace.install_demo()
    if workspace.status and not os.environ.get("CI"):
        pytest.skip(f"the package cannot be fetched: {said[-1] if said else ''}")
    assert workspace.status == 0, said
    command, shown = quotation()
    printed = workspace.run(command)
    assert workspace.status == 1
    assert agrees(shown, printed), f"{difference(shown, printed)}\n({RENEW})"


def speed() -> str:
    """The sentence about speed that follows from the kept figures."""
    link = "[`benchmarks/`](benchmarks)"
    file = ROOT / "benchmarks" / "speed.json"
    if not file.exists():
        return f"{link} measures it beside other linters, in one run on one machine."
    kept = json.loads(file.read_text())
    results = kept["results"]
    label = max((name for name in results if name != "one file"), key=lambda name: int(results[name]["lines"]))
    whole, one = results[label], results["one file"]
    tools, ratio = whole["tools"], whole["tools"]["numlint"]["times_ruff"]
    others = [
        f"{tools[name]['median_seconds']:.1f} s for {name}" for name in ("ruff", "flake8", "pylint") if name in tools
    ]
    return (
        f"On {label}, {whole['lines']:,} lines, numlint takes {tools['numlint']['median_seconds']:.1f} s, beside"
        f" {', '.join(others)}: {ratio:.1f} times ruff. A file of {one['lines']} lines takes"
        f" {one['tools']['numlint']['median_seconds']:.2f} s from start to result. Measured by {link},"
        f" the tools in turn, on {kept['machine']['processors']} processors, cold, every tool with its defaults."
    )


def test_the_figures_on_speed_are_those_that_were_measured() -> None:
    text = text_of(README)
    shown = text.partition("<!-- speed: begin -->")[2].partition("<!-- speed: end -->")[0]
    assert " ".join(shown.split()) == speed()
