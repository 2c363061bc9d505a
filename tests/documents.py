"""Markdown documents as data: their fenced blocks, the commands in them, and what those print.

A block is marked by what follows its language:

``python file=model.py``   is written to that file, for the commands below it
``python finds=NAMES``     has findings of these rules, and of no other
``toml file=numlint.toml`` likewise is a file
``console demo=yes``       also needs what the first line of the README installs
``console``                holds commands after ``$`` and what they print; a line ``...`` stands for any lines

``python -m tests.documents FILE ...`` runs the commands of documents and renews what
they show. What stands between two ``...`` is renewed from its first line on, in the
same number of lines; read the difference before you commit it. The perturbations are
described between two comments, from the docstrings of their modules.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from numlint.runtime import perturbations

ROOT = Path(__file__).resolve().parent.parent
ELISION = "..."
_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    language : str
    marks : dict
        What the info string says besides, such as ``{"file": "model.py"}``.
    body : str
    line : int
        Of the opening fence.
    span : tuple of int
        Of the body in the text of the document.
    """

    language: str
    marks: dict[str, str]
    body: str
    line: int
    span: tuple[int, int]


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what the document shows below it."""

    text: str
    shown: list[str]


@dataclass
class Workspace:
    """A folder in which the commands of one document run, one after the other."""

    folder: Path
    status: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path) -> Workspace:
        """Make a folder with the fixtures, and an environment in which ``numlint`` is the one under test."""
        shutil.copytree(ROOT / "fixtures", folder / "fixtures", ignore=shutil.ignore_patterns("__pycache__"))
        leave = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in leave}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
        # So that the folders of different machines, and their configurations, do not matter.
        (folder / "pyproject.toml").write_text("[tool.numlint]\n")
        return cls(folder, 0, environment)

    def run(self, command: str) -> list[str]:
        """Run a command; give the lines that it prints, errors among them."""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        self.status = done.returncode
        return [line.rstrip() for line in done.stdout.splitlines()]

    def install_demo(self) -> list[str]:
        """Install the package that the first line of the README checks; give what pip says."""
        line = next(block.body for block in blocks((ROOT / "README.md").read_text()) if block.language == "sh")
        install = next(step for step in line.split(" && ") if "--target demo" in step)
        return self.run(f"{shlex.quote(sys.executable)} -m {install}")

    def write(self, block: Block) -> None:
        """Write a block that is a file."""
        file = self.folder / block.marks["file"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.body)


def blocks(text: str) -> list[Block]:
    """Give the fenced blocks of a document."""
    found = []
    for match in _FENCE.finditer(text):
        language, *marks = match["info"].split() or [""]
        pairs = dict(mark.partition("=")[::2] for mark in marks)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, pairs, match["body"], line, match.span("body")))
    return found


def commands(block: Block) -> list[Command]:
    """Split a console block at its prompts; a command goes on where a line ends in a backslash."""
    found: list[Command] = []
    continued = False
    for line in block.body.splitlines():
        if continued:
            found[-1] = Command(f"{found[-1].text}\n{line}", [])
        elif line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].shown.append(line.rstrip())
            continue
        continued = line.endswith("\\")
    return found


def agrees(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether a command prints what is shown, where a line ``...`` stands for any number of lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == ELISION else f"{re.escape(line)}\n" for line in _without_blank_ends(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _without_blank_ends(printed))) is not None


def difference(shown: Sequence[str], printed: Sequence[str]) -> str:
    """Say how what is shown differs from what is printed."""
    return "\n".join(difflib.unified_diff(list(shown), list(printed), "shown", "printed", lineterm=""))


def renewed(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """Give what should be shown instead: each part between two ``...`` from its first line on."""
    if agrees(shown, printed):
        return list(shown)
    if not any(line.strip() == ELISION for line in shown):
        return list(_without_blank_ends(printed))
    result: list[str] = []
    for part in _parts(shown):
        if part == [ELISION]:
            result += part
            continue
        heads = [_without_digits(line) for line in printed]
        start = heads.index(_without_digits(part[0])) if _without_digits(part[0]) in heads else -1
        if start < 0:
            print(f"by hand, not found any more: {part[0]}", file=sys.stderr)
        result += list(printed[start : start + len(part)]) if start >= 0 else part
    return result


def _parts(lines: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        if line.strip() == ELISION:
            if part:
                yield part
            yield [ELISION]
            part = []
        else:
            part.append(line)
    if part:
        yield part


def _without_digits(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _without_blank_ends(lines: Sequence[str]) -> Sequence[str]:
    kept = [number for number, line in enumerate(lines) if line.strip()]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def with_perturbations(text: str) -> str:
    """A document with the perturbations as their modules describe them, where it has a place for them."""
    begin, end = "<!-- perturbations: begin -->\n", "<!-- perturbations: end -->"
    if begin not in text:
        return text
    before, _, rest = text.partition(begin)
    return before + begin + "".join(_described()) + end + rest.partition(end)[2]


def _described() -> Iterator[str]:
    inputs = {name: np.random.default_rng(0).normal(size=(6, 3)) for name in ("X", "Y")}
    for item in perturbations.load():
        subject = next(item.subjects(inputs, {}), "p")
        essay = inspect.getdoc(sys.modules[type(item).__module__]) or ""
        first, *others = [" ".join(part.split()).replace("``", "`") for part in essay.split("\n\n")]
        forms = [item.form(subject, number + 1) for number in range(len(item.forms))]
        limits = f"`realistic` up to {item.realistic:g}, `stress` up to {item.stress:g}"
        said = f"Forms: {'; '.join(forms)}." if forms else f"Knob: `{item.knob.format(name=subject)}`, {limits}."
        for paragraph in (f"### {item.name}", " ".join((f"**{first}**", *others)), said):
            yield "\n" + textwrap.fill(paragraph, 118, break_long_words=False, break_on_hyphens=False) + "\n"
    yield "\n"


def renew(file: Path) -> None:
    """Run the commands of a document and write what they print into it."""
    text = with_perturbations(file.read_text())
    replacements = []
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace.create(Path(temporary))
        for block in blocks(text):
            if "file" in block.marks:
                workspace.write(block)
            elif block.language == "console":
                if "demo" in block.marks:
                    workspace.install_demo()
                body = []
                for command in commands(block):
                    printed = workspace.run(command.text)
                    body += [f"$ {command.text}", *renewed(command.shown, printed)]
                replacements.append((block.span, "".join(f"{line}\n" for line in body)))
    for (start, end), body_text in reversed(replacements):
        text = text[:start] + body_text + text[end:]
    file.write_text(text)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        renew(Path(argument))
