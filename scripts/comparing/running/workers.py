"""Jobs over processes: each worker takes one at a time, and one that dies takes only its own job with it."""

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from typing import Any

from curriculum_rl.envs.processes import end_with_parent, listen, starting_workers

STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """Something to do.

    Attributes:
        name: unique; what others wait for.
        work: a module-level function of no arguments once `arguments` are given; False: it was interrupted.
        arguments: what it is called with, made when all jobs in `after` have ended.
        after: names of the jobs it waits for.
    """

    name: str
    work: Callable[..., bool]
    arguments: Callable[[], dict[str, Any]]
    after: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Ended:
    """What became of a job.

    Attributes:
        job: which.
        error: the traceback of what ended it; None: it is done.
    """

    job: Job
    error: str | None


def perform(
    jobs: list[Job], *, processes: int, started: Callable[[Job], None], until: float | None = None
) -> Iterator[Ended]:
    """Do the jobs in their order, those that wait for others as soon as these have ended.

    Args:
        jobs: whatever they wait for and is not among them counts as done.
        processes: 1 works in this process.
        started: called when a job begins.
        until: when `time.monotonic()` is past it nothing more is begun; None: never.

    Yields:
        Each job as it ends, failed ones too.

    Raises:
        KeyboardInterrupt: on Ctrl-C, after the workers have stopped at the end of their segments.
    """
    waiting = list(jobs)
    open_names = {job.name for job in jobs}
    ends = _here if processes == 1 else _Pool(min(processes, max(len(jobs), 1)))

    def take() -> Job | None:
        if until is not None and time.monotonic() > until:
            return None
        ready = next((job for job in waiting if not job.after & open_names), None)
        if ready is not None:
            waiting.remove(ready)
            started(ready)
        return ready

    for ended in ends(take):
        open_names.discard(ended.job.name)
        yield ended


def _here(take: Callable[[], Job | None]) -> Iterator[Ended]:
    while (job := take()) is not None:
        try:
            arguments = job.arguments()
            if not job.work(**arguments):
                raise KeyboardInterrupt
        except Exception:  # a crashed run is a row of the table
            yield Ended(job, traceback.format_exc())
        else:
            yield Ended(job, None)


class _Pool:
    """Some workers with a pipe each."""

    def __init__(self, processes: int) -> None:
        self._context = get_context("spawn")
        self._processes = processes
        self._workers: dict[connection.Connection, tuple[Any, Job | None]] = {}

    def __call__(self, take: Callable[[], Job | None]) -> Iterator[Ended]:
        try:
            yield from self._all(take)
        except BaseException:
            self._interrupt()
            raise
        finally:
            self._end()

    def _all(self, take: Callable[[], Job | None]) -> Iterator[Ended]:
        while True:
            yield from self._fill(take)
            busy = [pipe for pipe, (_, job) in self._workers.items() if job is not None]
            if not busy:
                return
            for pipe in connection.wait(busy):
                assert isinstance(pipe, connection.Connection)
                yield self._receive(pipe)

    def _fill(self, take: Callable[[], Job | None]) -> Iterator[Ended]:
        """Give every idle worker a job; more workers are made as there is work for them."""
        while True:
            idle = next((pipe for pipe, (_, job) in self._workers.items() if job is None), None)
            if idle is None and len(self._workers) >= self._processes:
                return
            job = take()
            if job is None:
                return
            try:
                arguments = job.arguments()
            except Exception:  # what it waited for did not come out
                yield Ended(job, traceback.format_exc())
                continue
            pipe = idle or self._start()
            pipe.send((job.work, arguments))
            self._workers[pipe] = (self._workers[pipe][0], job)

    def _receive(self, pipe: connection.Connection) -> Ended:
        worker, job = self._workers[pipe]
        assert job is not None
        try:
            done, error = pipe.recv()
        except (EOFError, OSError):
            worker.join()
            del self._workers[pipe]
            return Ended(job, f"the process ended with status {worker.exitcode} (killed for memory?)")
        self._workers[pipe] = (worker, None)
        if not done and error is None:
            raise KeyboardInterrupt
        return Ended(job, error)

    def _start(self) -> connection.Connection:
        ours, theirs = self._context.Pipe()
        worker = self._context.Process(target=_serve, args=(theirs,), name="compare")
        with starting_workers():
            worker.start()
            self._workers[ours] = (worker, None)
        theirs.close()
        return ours

    def _interrupt(self) -> None:
        """Have the workers stop at the end of their segments, and wait for that."""
        for worker, job in self._workers.values():
            if job is not None and worker.is_alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        for pipe, (_, job) in self._workers.items():
            if job is not None:
                pipe.poll(max(0.0, deadline - time.monotonic()))

    def _end(self) -> None:
        for pipe, (worker, _) in self._workers.items():
            pipe.close()
            worker.terminate()
        for worker, _ in self._workers.values():
            worker.join()
        self._workers.clear()


def _serve(pipe: connection.Connection) -> None:
    """What a worker does: jobs, until the pipe ends. Its own group, so that Ctrl-C reaches it once, from the parent."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpgrp()
    end_with_parent()
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        listen()
        while True:
            work, arguments = pipe.recv()
            answer: tuple[bool, str | None]
            try:
                answer = (work(**arguments), None)
            except KeyboardInterrupt:
                answer = (False, None)
            except Exception:  # goes to the parent as text
                answer = (False, traceback.format_exc())
            pipe.send(answer)
