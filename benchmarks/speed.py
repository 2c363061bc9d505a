"""How fast numlint is, beside the linters that a user has anyway: cold, interleaved, in one run on one machine.

Run from the root of the checkout: ``python -m benchmarks.speed``. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.packages import cache, chosen, unpack

HERE = Path(__file__).resolve().parent
KEPT = HERE / "speed.json"
FILE = ("scipy", "scipy/sparse/linalg/_isolve/_gcrotmk.py")
"""The file of 500 lines: package and path."""
ONE_FILE = "one file"


@dataclass(frozen=True)
class Tool:
    """A linter under measurement.

    Attributes
    ----------
    name : str
    requirement : str
        For pip; ``"."`` is this checkout.
    command : callable
        Arguments, from the folder of the tool's executables and the paths to check.
    slow : bool
        Measured less often.
    exits : frozenset of int
        Exit codes of a run that worked.
    """

    name: str
    requirement: str
    command: Callable[[Path, Sequence[str]], list[str]]
    slow: bool = False
    exits: frozenset[int] = frozenset({0})


class Run(NamedTuple):
    """One measured run: wall clock and processor seconds, and the peak of its largest process in MiB."""

    seconds: float
    cpu: float
    peak: float


# A process that is replaced by the tool hands on its own peak of memory: a small one starts the tool and waits.
WRAPPER = """
import json, os, sys, time
nowhere = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
start = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[nowhere])
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""

# Each as it comes, with its default rules, no configuration, no cache of results, and all processors where it can.
TOOLS = (
    Tool(
        "numlint",
        ".",
        lambda bin, paths: [str(bin / "numlint"), "check", "--isolated", "--exit-zero", "--output-format=json", *paths],
        exits=frozenset({0, 2}),
    ),
    Tool(
        "ruff",
        "ruff",
        lambda bin, paths: [str(bin / "ruff"), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet", *paths],
    ),
    Tool(
        "flake8",
        "flake8",
        lambda bin, paths: [str(bin / "flake8"), "--isolated", "--exit-zero", "--jobs=auto", *paths],
    ),
    Tool(
        "TorchFix",
        "torchfix",
        lambda bin, paths: [str(bin / "torchfix"), "--select=ALL", *paths],
        slow=True,
    ),
    Tool(
        "pylint",
        "pylint",
        lambda bin, paths: [str(bin / "pylint"), "--rcfile=/dev/null", "--jobs=0", "--exit-zero", *paths],
        slow=True,
    ),
    Tool(
        "semgrep",
        "semgrep",
        lambda bin, paths: [
            *(str(bin / "semgrep"), "scan", f"--config={HERE / 'semgrep.yml'}", "--metrics=off", "--quiet"),
            *("--disable-version-check", "--no-git-ignore", "--max-target-bytes=0", *paths),
        ],
        slow=True,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install the tools, measure, write speed.json and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("packages", nargs="*", help="packages to run on (default: all)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep downloads and environments there")
    parser.add_argument("--tools", default="", metavar="NAMES", help="only these, by commas (default: all)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of the fast tools (default: 5)")
    parser.add_argument("--slow-runs", type=int, default=1, metavar="N", help="runs of the slow ones (default: 1)")
    parser.add_argument(
        "--output", type=Path, default=KEPT, metavar="FILE", help="where to write (default: speed.json)"
    )
    options = parser.parse_args(arguments)

    wanted = [name for name in options.tools.split(",") if name]
    tools = [tool for tool in TOOLS if not wanted or tool.name in wanted]
    with cache(options.cache) as folder:
        bins = {tool.name: install(tool, folder / "tools" / tool.name) for tool in tools}
        versions = {tool.name: version(bins[tool.name], tool) for tool in tools}
        results: dict[str, Any] = {}
        for label, root, paths, files, lines in targets(options.packages, folder):
            times = measure(tools, bins, root, paths, options.runs, options.slow_runs)
            results[label] = {"files": files, "lines": lines, "tools": figures(times)}
            print(table(label, results[label]), flush=True)
    document = {"machine": machine(), "versions": versions, "results": results}
    options.output.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def targets(names: Sequence[str], folder: Path) -> Iterator[tuple[str, Path, list[str], int, int]]:
    """What to run on: label, working directory, paths, number of files and of lines. The one file comes first."""
    releases = {release.name: release for release in chosen(names)}
    package = unpack(chosen([FILE[0]])[0], folder)
    lines = (package.root / FILE[1]).read_bytes().count(b"\n")
    yield ONE_FILE, package.root, [FILE[1]], 1, lines
    for release in releases.values():
        package = unpack(release, folder)
        top = sorted({file.partition("/")[0] for file in package.files})
        yield release.name, package.root, top, len(package.files), package.lines


def install(tool: Tool, folder: Path) -> Path:
    """Make the environment of a tool, unless it is there; this checkout is installed anew each time."""
    own = tool.requirement == "."
    bin = folder / ("Scripts" if os.name == "nt" else "bin")
    if not bin.exists():
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    elif not own:
        return bin
    pip = [str(bin / "python"), "-m", "pip", "install", "--quiet"]
    if not own:
        subprocess.run([*pip, tool.requirement], check=True)
        return bin
    with tempfile.TemporaryDirectory() as temporary:
        # Built elsewhere: a build leaves folders behind, and finds those of an earlier one.
        copy = Path(temporary, "checkout")
        shutil.copytree(
            HERE.parent, copy, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
        )
        subprocess.run([*pip, str(copy)], check=True)
        subprocess.run([*pip, "--force-reinstall", "--no-deps", str(copy)], check=True)
    return bin


def version(bin: Path, tool: Tool) -> str:
    """Version of an installed tool."""
    name = "numlint" if tool.requirement == "." else tool.requirement
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run([str(bin / "python"), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def measure(
    tools: Sequence[Tool], bins: Mapping[str, Path], root: Path, paths: Sequence[str], runs: int, slow_runs: int
) -> dict[str, list[Run]]:
    """Runs of every tool, interleaved, so that what else the machine does falls on all alike.

    A first run of each fast tool is not counted: it brings the files, and the tool's own
    code, into the memory of the operating system.
    """
    times: dict[str, list[Run]] = {tool.name: [] for tool in tools}
    for number in range(-1, runs):
        for tool in tools:
            if tool.slow and not 0 <= number < slow_runs:
                continue
            run = once(tool, tool.command(bins[tool.name], paths), root)
            if number >= 0:
                times[tool.name].append(run)
    return times


def once(tool: Tool, command: Sequence[str], root: Path) -> Run:
    """Run a command and wait for it; the time and the memory of its descendants count.

    Raises
    ------
    SystemExit
        When it did not work.
    """
    wrapped = [sys.executable, "-I", "-S", "-c", WRAPPER, *command]
    done = subprocess.run(wrapped, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{tool.name} cannot be started: {done.stderr}")
    code, seconds, cpu, peak = json.loads(done.stdout)
    if code not in tool.exits:
        sys.exit(f"{tool.name} failed with {code}: {' '.join(command)}\n{done.stderr[-2000:]}")
    return Run(seconds, cpu, peak / (2**20 if sys.platform == "darwin" else 2**10))


def figures(times: Mapping[str, Sequence[Run]]) -> dict[str, dict[str, Any]]:
    """Medians, ratios to ruff, and the runs themselves."""
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in times.items()}
    reference = medians.get("ruff")
    return {
        name: {
            "median_seconds": round(medians[name], 3),
            "times_ruff": round(medians[name] / reference, 2) if reference else None,
            "cpu_seconds": round(statistics.median(run.cpu for run in runs), 3),
            "peak_mib": round(max(run.peak for run in runs), 1),
            "seconds": [round(run.seconds, 3) for run in runs],
        }
        for name, runs in times.items()
    }


def table(label: str, result: Mapping[str, Any]) -> str:
    """Figures of one target, for people."""
    lines = [f"{label}: {result['files']} files, {result['lines']} lines"]
    lines.append(f"  {'':10}{'seconds':>9}{'x ruff':>9}{'cpu s':>9}{'peak MiB':>10}{'runs':>6}")
    for name, row in result["tools"].items():
        ratio = "" if row["times_ruff"] is None else f"{row['times_ruff']:.2f}"
        seconds = f"{row['median_seconds']:9.3f}{ratio:>9}{row['cpu_seconds']:9.2f}"
        lines.append(f"  {name:10}{seconds}{row['peak_mib']:10.0f}{len(row['seconds']):6}")
    return "\n".join(lines) + "\n"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as stream:
            processor = next(
                (line.partition(":")[2].strip() for line in stream if line.startswith("model name")), processor
            )
    except OSError:
        pass
    return {
        "processor": processor,
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
