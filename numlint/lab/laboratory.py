"""Where runs are made, in which order, and that none is made twice.

What is wanted is written as a `Search`: a generator that yields one `Experiment` after the
other, is sent the run of each, and returns what it found out. A grid is many searches of
one step; a bisection is one search of several. The laboratory keeps as many experiments
under way as its `Site` has places for, whichever search they belong to, and takes those
from the results that are there already.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from numlint.lab.results import GRID, Results
from numlint.lab.workers import CREW, Job, Watch, WorkerError, perform
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import DIED, Run

Found = TypeVar("Found")
_BEAT = 0.5
"""Seconds between looks at the clock."""


@dataclass(frozen=True)
class Experiment:
    """One run that is wanted, and why.

    Attributes
    ----------
    configuration : Configuration
    purpose : str
        See `results.Record`.
    machine : str
        Name of the emulated machine; empty for this one.
    environment : mapping of str to str
        Variables that make the process that machine.
    """

    configuration: Configuration
    purpose: str = GRID
    machine: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


Search = Generator[Experiment, Run, Found]


def once(experiment: Experiment) -> Search[Run]:
    """The search that is over after one experiment."""
    return (yield experiment)


class Site(Protocol):
    """Where runs are made."""

    capacity: int

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Begin a run."""

    def abandon(self) -> None:
        """Stop what is under way."""


class Local:
    """This machine: threads, each of which talks to one process at a time.

    Parameters
    ----------
    jobs : int
        Runs at a time.
    watch : callable, optional
        Told of each event of each run, from the threads.
    """

    def __init__(self, jobs: int, watch: Watch | None = None) -> None:
        self.capacity = max(1, jobs)
        self._watch = watch
        self._executor: Executor = ThreadPoolExecutor(self.capacity, thread_name_prefix="numlint-lab")

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        CREW.dismiss()

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        return self._executor.submit(perform, job, self._watch)

    def abandon(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        CREW.kill()


@dataclass(frozen=True)
class Recipe:
    """What all runs of a laboratory have in common; see `workers.Job`."""

    python: str
    seconds: float = 60.0
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: str = "."

    def job(self, experiment: Experiment) -> Job:
        return Job(
            experiment.configuration,
            self.python,
            self.seconds,
            dict(self.options),
            dict(experiment.environment),
            self.folder,
        )


class Laboratory:
    """Makes runs and keeps them.

    Parameters
    ----------
    site : Site
    results : Results
    recipe : Recipe
    deadline : float
        Time, by `time.monotonic`, from which on no run is begun.
    begun, done : callable, optional
        Told of each experiment that begins, and of each that ended with its run; not of those
        that were there already.
    """

    def __init__(
        self,
        site: Site,
        results: Results,
        recipe: Recipe,
        deadline: float = math.inf,
        *,
        begun: Callable[[Experiment], None] = lambda experiment: None,
        done: Callable[[Experiment, Run], None] = lambda experiment, run: None,
    ) -> None:
        self.site = site
        self.results = results
        self.recipe = recipe
        self.deadline = deadline
        self.made = 0
        self._begun, self._done = begun, done

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.deadline

    def runs(self, experiments: Iterable[Experiment]) -> Iterator[Run]:
        """The runs of experiments, as they come."""
        for _, run in self.search(once(experiment) for experiment in experiments):
            yield run

    def search(self, searches: Iterable[Search[Found]], most: float = math.inf) -> Iterator[tuple[int, Found]]:
        """The number of each search with what it found, as they come; those that are cut short are missing.

        Parameters
        ----------
        searches : iterable of Search
        most : float
            Runs that may be made for them.

        Raises
        ------
        WorkerError
            The interpreter does not run the lab.
        """
        waiting: deque[tuple[int, Search[Found], Run | None]] = deque(
            (number, search, None) for number, search in enumerate(searches)
        )
        pending: dict[Future[dict[str, Any]], tuple[int, Search[Found], Experiment]] = {}
        begun = 0
        try:
            while waiting or pending:
                # Twice as many as there are places: none of them waits for us to write a result down.
                while waiting and len(pending) < 2 * self.site.capacity and not self.is_over:
                    number, search, run = waiting.popleft()
                    step = self._next(search, run)
                    if isinstance(step, _Over):
                        yield number, step.found
                        continue
                    if begun >= most:
                        continue
                    begun += 1
                    self._begun(step)
                    pending[self.site.submit(self.recipe.job(step))] = (number, search, step)
                if not pending:
                    return  # the time is up
                done, _ = wait(pending, _BEAT, FIRST_COMPLETED)
                for future in done:
                    number, search, step = pending.pop(future)
                    run = _run(future, step)
                    self.results.add(run, step.purpose, step.machine)
                    self.made += 1
                    self._done(step, run)
                    # A search that has begun goes on before another begins.
                    waiting.appendleft((number, search, run))
        except BaseException:
            self.site.abandon()
            raise

    def _next(self, search: Search[Found], run: Run | None) -> Experiment | _Over:
        """The next experiment that is not there already, or the end of the search."""
        try:
            step = search.send(run) if run is not None else next(search)
            while (known := self.results.find(step.configuration, step.machine)) is not None:
                step = search.send(known)
            return step
        except StopIteration as end:
            return _Over(end.value)


@dataclass(frozen=True)
class _Over:
    found: Any


def _run(future: Future[dict[str, Any]], step: Experiment) -> Run:
    try:
        return Run.from_json(future.result())
    except (WorkerError, KeyboardInterrupt):
        raise
    except (Exception, CancelledError) as error:  # a cluster gave the run up: its workers died of it, one after another
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Run(step.configuration, DIED, reason)
