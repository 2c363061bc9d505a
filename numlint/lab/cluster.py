"""Runs on a Dask cluster: the same experiments, through the same interface.

Dask makes a run again whose worker is lost, and gives up one that several workers died of;
both are its own affair, and each run has one result in either case. numlint must be
installed where the workers run.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future
from typing import Any

from numlint.lab.workers import CREW, Job, perform

CONNECT_SECONDS = 20


class ClusterError(Exception):
    """There is no cluster to run on; the message says why, and what to do."""


class Cluster:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``"tcp://127.0.0.1:8786"``.

    Raises
    ------
    ClusterError
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("Dask is not installed; install it with `pip install 'numlint[dask]'`") from None
        try:
            self._client: Any = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            first = str(error).partition("\n")[0]
            raise ClusterError(
                f"no Dask scheduler answers at {address} ({first}); start one with `dask scheduler`,"
                " and `dask worker ADDRESS` on each machine"
            ) from None
        places = sum(self._client.nthreads().values())
        if not places:
            self._client.close()
            raise ClusterError(f"the scheduler at {address} has no workers; start some with `dask worker {address}`")
        self.capacity = places
        self._executor: Any = self._client.get_executor(pure=False)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # a worker that cannot be reached ends its processes by itself
            self._client.run(_dismiss)
        self._executor.shutdown(wait=False)
        self._client.close()

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = self._executor.submit(perform, job)
        return future

    def abandon(self) -> None:
        self._executor.shutdown(wait=False)
        with contextlib.suppress(Exception):
            self._client.run(_kill)


def _dismiss() -> None:
    CREW.dismiss()


def _kill() -> None:
    CREW.kill()
