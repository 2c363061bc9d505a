"""What `numlint confirm` leaves behind: what it shows, the files that it writes, the fixes that it applies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from numlint.cli._settings import color_of, echo, width

if TYPE_CHECKING:
    from numlint.confirm.confirmation import Confirmation
    from numlint.rule import Rule


def show(
    confirmation: Confirmation, rules: Sequence[Rule], output_format: str, output_file: str | None, *, detail: int
) -> None:
    from numlint.report import verdict

    if output_file is None:
        color = color_of(sys.stdout)
        echo(verdict.render(output_format, confirmation, rules, color=color, width=width(), detail=detail))
    else:
        text = verdict.render(output_format, confirmation, rules, color=False, width=100, detail=detail)
        _write("--output-file", output_file, text)


def cure(confirmation: Confirmation, *, show: bool, write: bool, output_file: str | None) -> int:
    """Apply the verified rewrites, or show what that would change; give how many findings it concerns."""
    from numlint.confirm.cures import changes
    from numlint.fix import diff
    from numlint.source import decode, read

    found, applied = changes(confirmation.results, confirmation.sources)
    if show:
        text = "".join(diff(change.path, change.before, change.after) for change in found)
        if output_file is None:
            echo(text)
        else:
            _write("--output-file", output_file, text)
    for change in found if write else ():
        try:
            encoded = decode(read(change.path), change.path).encode(change.after)
            with open(change.path, "wb") as stream:
                stream.write(encoded)
        except (OSError, UnicodeEncodeError) as error:
            raise click.ClickException(f"{change.path}: the fixes cannot be written: {error}") from None
    verb = "Fixed" if write else "Would fix"
    click.echo(f"{verb} {_count(len(applied), 'finding')} in {_count(len(found), 'file')}.", err=True)
    return len(applied)


def write_besides(
    confirmation: Confirmation, rules: Sequence[Rule], page: str | None, verdict_file: str | None, tests: str | None
) -> None:
    if verdict_file is not None:
        from numlint.report import verdict

        text = verdict.render("json", confirmation, rules, color=False, width=100)
        _write("--verdicts", verdict_file, text)
    if page is not None:
        from numlint.report import page as pages

        try:
            pages.write(Path(page), confirmation.verdicts, confirmation.sources)
        except OSError as error:
            raise click.UsageError(f"--report: {page}: {error.strerror}") from None
    if tests is not None:
        from numlint.confirm import emit

        try:
            written, obstacles = emit.write(tests, confirmation)
        except OSError as error:
            raise click.UsageError(f"--emit-tests: {tests}: {error.strerror}") from None
        for obstacle in obstacles:
            click.echo(f"note: no test: {obstacle}", err=True)
        click.echo(f"Wrote {_count(len(written), 'test')} to {tests}.", err=True)


def _write(option: str, file: str, text: str) -> None:
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise click.UsageError(f"{option}: {file}: {error.strerror}") from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
