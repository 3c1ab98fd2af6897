"""Replicas divided among processes, one thread each, behind the methods of `Replicas`."""

import contextlib
import signal
import time
import traceback
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.observations import Observation
from curriculum_rl.envs.processes import STOPPING, end_with_parent, listen, starting_workers
from curriculum_rl.envs.replicas import Transition
from curriculum_rl.errors import ConfigError, ShardError
from curriculum_rl.infos import ResetInfo
from curriculum_rl.observation import Features
from curriculum_rl.schema import EnvConfig

END_SECONDS = 5.0
"""How long all workers together have to end by themselves."""


class Shards:
    """N replicas in S processes; shard s holds replicas s N / S to (s + 1) N / S - 1.

    Args:
        config: of the experiment; each worker builds it from the cache.
        replicas: N, divisible by `shards`.
        shards: S.
        options: what else `Replicas` takes.

    Raises:
        ConfigError: as `Replicas` does.
        ShardError: from any method, where a worker raised (with its traceback) or died; the others are ended.
    """

    def __init__(self, config: EnvConfig, *, replicas: int, shards: int, **options: Any) -> None:
        self._each = replicas // shards
        context = get_context("spawn")
        settings = {"replicas": self._each, **options}
        self._workers: list[Any] = []
        self._pipes: list[Connection] = []
        # Before multiprocessing's own end, which waits for the workers.
        self._end = weakref.finalize(self, _end, self._workers, self._pipes)
        for n in range(shards):
            ours, theirs = context.Pipe()
            arguments = (theirs, config, settings)
            worker = context.Process(target=_work, args=arguments, daemon=True, name=f"shard {n}")
            with starting_workers():
                worker.start()
                self._workers.append(worker)
                self._pipes.append(ours)
            theirs.close()
        self._left_at = time.perf_counter()
        self.outside = 0.0
        self.seconds: dict[str, float] = {}
        self.budget: float = self._receive()[0]

    def request_signals(self, names: Sequence[str]) -> None:
        """Every shard measures these signals from now on."""
        self._call("request_signals", [(tuple(names),)] * len(self._pipes))

    def signal_price(self, names: Sequence[str]) -> float:
        """As every shard has it: it does not depend on the replicas."""
        price: float = self._call("signal_price", [(tuple(names),)] * len(self._pipes))[0]
        return price

    def reset(self, seeds: Sequence[int]) -> tuple[Observation, list[ResetInfo]]:
        """Begin N new runs."""
        self._left_at = time.perf_counter()
        parts = self._call("reset", [(seeds[part],) for part in self._slices()])
        return _stacked([observed for observed, _ in parts]), [info for _, infos in parts for info in infos]

    def step(self, action: npt.NDArray[Any]) -> Transition:
        """Train one segment in every process."""
        self.outside = time.perf_counter() - self._left_at
        parts = self._call("step", [(action[part],) for part in self._slices()])
        self.seconds = parts[0][1]
        done: list[Transition] = [transition for transition, _ in parts]
        self._left_at = time.perf_counter()
        return Transition(
            _stacked([one.observation for one in done]),
            np.concatenate([one.reward for one in done]),
            done[0].terminated,
            [info for one in done for info in one.infos],
        )

    def get_state(self) -> dict[str, Any]:
        """The states of all shards."""
        return {"shards": self._call("get_state", [()] * len(self._pipes))}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned, with as many shards."""
        if len(state["shards"]) != len(self._pipes):
            raise ShardError(f"shards: the state is of {len(state['shards'])} shards, these are {len(self._pipes)}")
        self._call("set_state", [(one,) for one in state["shards"]])

    def stratified_rows(self) -> dict[str, int]:
        """As every shard counts them: they do not depend on the replicas."""
        counted: dict[str, int] = self._call("stratified_rows", [()] * len(self._pipes))[0]
        return counted

    def save_learner(self, directory: Path) -> None:
        """Each shard writes its learners into `directory/shard-n`."""
        self._call("save_learner", [(directory / f"shard-{n}",) for n in range(len(self._pipes))])

    def close(self) -> None:
        """End the workers."""
        _end(self._workers, self._pipes)

    def _slices(self) -> list[slice]:
        return [slice(n * self._each, (n + 1) * self._each) for n in range(len(self._pipes))]

    def _call(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        if not self._pipes:
            raise ShardError("shards: closed")
        for n, (pipe, args) in enumerate(zip(self._pipes, arguments, strict=True)):
            try:
                pipe.send((method, args))
            except OSError:
                self._fail(n, None)
        return self._receive()

    def _receive(self) -> list[Any]:
        answers = []
        for n, pipe in enumerate(self._pipes):
            try:
                error, answer = pipe.recv()
            except (EOFError, OSError):
                self._fail(n, None)
            if error is not None:
                self._fail(n, error)
            answers.append(answer)
        return answers

    def _fail(self, shard: int, error: str | ConfigError | None) -> NoReturn:
        worker = self._workers[shard]
        if error is None:
            worker.join(timeout=END_SECONDS)
            error = f"it died without a word (exit code {worker.exitcode}); was there enough memory?"
        self.close()
        if isinstance(error, ConfigError):
            raise error
        raise ShardError(f"shard {shard} failed:\n{error}")


def _end(workers: list[Any], pipes: list[Connection]) -> None:
    """End the workers, and empty both lists."""
    for pipe in pipes:
        with contextlib.suppress(OSError):
            pipe.send(None)
        pipe.close()
    deadline = time.monotonic() + END_SECONDS
    for worker in workers:
        worker.join(timeout=max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()
    pipes.clear()
    workers.clear()


def _work(pipe: Connection, config: EnvConfig, settings: Mapping[str, Any]) -> None:
    """A worker: build the replicas, then answer calls until None comes or the pipe is closed."""
    # Ctrl-C reaches the whole process group, and so may SIGTERM; the parent decides when to stop.
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    listen()
    end_with_parent()
    import torch

    from curriculum_rl.envs.replicas import Replicas
    from curriculum_rl.experiment import build

    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has ended, and nobody reads what is said
        try:
            replicas = Replicas(build(config), **settings)
            pipe.send((None, replicas.budget))
            while (call := pipe.recv()) is not None:
                method, arguments = call
                answer = getattr(replicas, method)(*arguments)
                pipe.send((None, (answer, replicas.seconds) if method == "step" else answer))
        except (EOFError, ConnectionError):
            raise
        except ConfigError as error:
            pipe.send((error, None))
        except Exception:  # whatever it is, the parent shows it
            pipe.send((traceback.format_exc(), None))


def _stacked(parts: Sequence[Any]) -> Observation:
    if isinstance(parts[0], dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    stacked: Features = np.concatenate(parts)
    return stacked
