"""The real command, many times: a server process that has imported the package forks itself for each, and may kill it.

A fork costs 10 ms where a new interpreter costs seconds. The server is a fresh process, so that nothing of the caller
(pytest, hypothesis) is in its forks.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

PRELOADED = (
    "torch", "gymnasium", "stable_baselines3", "datasets", "transformers", "pyarrow.parquet", "scipy.stats",
    "matplotlib.pyplot", "torch.utils.tensorboard", "curriculum_rl.scripts.main", "curriculum_rl.scripts.train",
    "curriculum_rl.scripts.evaluate", "curriculum_rl.scripts.compare", "curriculum_rl.scripts.rank",
)  # fmt: skip
# Calls after which the disk is another; `open` counts where it is for writing.
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "open")
_ADDRESS_SPACE = 24 << 30  # bytes: a command that asks for more gets a MemoryError, and not the machine
_REPORT = "@ended "
_GONE_WITHIN = 20.0  # seconds in which what a killed command had started must have ended


@dataclass(frozen=True)
class Kill:
    """When and how a command is killed; the first of the two moments that comes.

    Attributes:
        after: seconds from its beginning.
        change: before its n-th change of what stands in its working directory, counted from 1.
        signal: which signal.
    """

    after: float | None = None
    change: int | None = None
    signal: int = signal.SIGKILL


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: exit status; minus the signal's number where one ended it.
        error: what it wrote to stderr.
        seconds: by the clock.
        cpu: seconds of CPU.
        peak: MiB of memory at its highest, what it shares with the server included.
        changes: times that it changed its working directory.
        left: processes that it had started and that outlived it by `_GONE_WITHIN` seconds.
        late: whether it was stopped at its limit.
    """

    status: int
    error: str
    seconds: float
    cpu: float
    peak: float
    changes: int = 0
    left: int = 0
    late: bool = False

    @property
    def last_line(self) -> str:
        """Of stderr."""
        return (self.error.strip().splitlines() or [""])[-1]

    @property
    def refused(self) -> bool:
        """Whether it said what is wrong in a line, as a command should."""
        return self.status in (1, 2) and "Traceback" not in self.error and self.last_line.startswith("curriculum-rl: ")


@dataclass
class Commands:
    """A context in which commands can be run one after the other.

    Attributes:
        variables: of the environment, for all of them.
        pictures: whether `train` draws policy.png, which is half of what a tiny run costs.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    pictures: bool = True
    _server: Any = None

    def __enter__(self) -> "Commands":
        """Start the server; it imports for some seconds."""
        here = Path(__file__).resolve().parents[1]
        paths = [str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
        fixed = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1", "COLUMNS": "120"}
        self._server = subprocess.Popen(
            [sys.executable, "-c", f"from surviving.commands import serve; serve(pictures={self.pictures})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **fixed, **self.variables, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.wait()

    def run(self, arguments: Sequence[str], cwd: Path, kill: Kill | None = None, limit: float = 120.0) -> Ended:
        """Run `curriculum-rl` with arguments.

        Args:
            arguments: what is typed.
            cwd: the working directory.
            kill: when to kill it.
            limit: seconds after which it is stopped, and said to be late.
        """
        asked = {"arguments": list(arguments), "cwd": str(cwd), "kill": vars(kill or Kill()), "limit": limit}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        while not (line := self._server.stdout.readline()).startswith(_REPORT):
            if not line:
                raise RuntimeError("the server of commands has died")
        return Ended(**json.loads(line.removeprefix(_REPORT)))


def serve(*, pictures: bool) -> None:
    """Fork for each line of stdin, until it ends."""
    import importlib

    import torch

    for module in PRELOADED:
        importlib.import_module(module)
    torch.set_num_threads(1)
    if not pictures:
        finishing: Any = importlib.import_module("curriculum_rl.scripts.running.finishing")
        finishing.policy_picture = finishing.learning_curve = lambda *_, **__: None
    for line in sys.stdin:
        print(_REPORT + json.dumps(_watched(json.loads(line))), flush=True)


def _watched(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Fork, wait or kill, and say how it ended."""
    error, count = (Path(f"{asked['cwd']}.{what}") for what in ("stderr", "changes"))
    count.unlink(missing_ok=True)
    error.write_text("")  # it may be killed before it opens it
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        _perform(asked, error, count)
    kill, late = asked["kill"], False
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        passed = time.perf_counter() - begun
        if ended:
            break
        if kill["after"] is not None and passed >= kill["after"]:
            os.kill(child, kill["signal"])
            kill = {**kill, "after": None}
        if passed >= asked["limit"]:
            late = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    left = _outliving(child)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "error": error.read_text(errors="replace"),
        "seconds": time.perf_counter() - begun,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss / 1024,
        "changes": int(count.read_text()) if count.exists() else 0,
        "left": left,
        "late": late,
    }


def _perform(asked: Mapping[str, Any], error: Path, count: Path) -> None:
    """In the fork: the command, as if it had been typed."""
    os.setsid()
    os.chdir(asked["cwd"])
    sink = os.open(error, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream, place in ((0, nothing), (1, nothing), (2, sink)):
        os.dup2(place, stream)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(n, mode, closefd=False) for n, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    counted = _count_changes(asked["cwd"], asked["kill"])
    sys.argv = ["curriculum-rl", *asked["arguments"]]
    status = 0
    try:
        from curriculum_rl.scripts.main import main

        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 70
    sys.stderr.flush()
    count.write_text(str(counted[0]))
    os._exit(status)


def _count_changes(cwd: str, kill: Mapping[str, Any]) -> list[int]:
    """Count changes of files below the working directory from now on; the process is killed before one of them."""
    counted, me = [0], os.getpid()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES or os.getpid() != me:
            return
        place = arguments[0]
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            reads = not flags & (os.O_WRONLY | os.O_RDWR) if mode is None else not set(mode) & set("wax+")
            if reads:
                return
        if not isinstance(place, str | os.PathLike) or Path(cwd) not in Path(place).absolute().parents:
            return
        counted[0] += 1
        if counted[0] == kill["change"]:
            os.kill(me, kill["signal"])

    sys.addaudithook(hook)
    return counted


def _outliving(session: int) -> int:
    """How many processes of a session are still there when it has had time to end."""
    until = time.monotonic() + _GONE_WITHIN
    while (found := _of_session(session)) and time.monotonic() < until:
        time.sleep(0.02)
    for process in found:
        os.kill(process, signal.SIGKILL)
    return len(found)


def _of_session(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
