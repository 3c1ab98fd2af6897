"""Jobs over processes: order, crashes and deaths."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.scripts.comparing.running.workers import Job, perform


def leave(path: str) -> bool:
    Path(path).write_text(str(os.getpid()))
    return True


def fail() -> bool:
    raise ValueError("as it had to be")


def die() -> bool:
    os._exit(7)


def stop() -> bool:
    return False


def _bad() -> dict:
    raise OSError("what it waits for is not there")


def jobs(folder: Path) -> list[Job]:
    def leaves(name: str, *after: str) -> Job:
        return Job(name, leave, lambda: {"path": str(folder / name)}, frozenset(after))

    return [
        leaves("last", "second", "dies"),
        Job("fails", fail, dict),
        Job("dies", die, dict),
        leaves("first"),
        leaves("second", "first", "elsewhere"),
        Job("cannot", leave, _bad),
    ]


def test_workers_outlive_each_other(tmp_path: Path) -> None:
    started: list[str] = []
    ended = list(perform(jobs(tmp_path), processes=2, started=lambda job: started.append(job.name)))
    errors: dict[str, Any] = {one.job.name: one.error for one in ended}
    assert sorted(errors) == ["cannot", "dies", "fails", "first", "last", "second"]
    assert "as it had to be" in errors["fails"]
    assert "status 7" in errors["dies"]
    assert "not there" in errors["cannot"]
    assert [errors[name] for name in ("first", "second", "last")] == [None] * 3
    assert started.index("second") > started.index("first")
    order = [one.job.name for one in ended]
    assert order.index("last") > max(order.index("second"), order.index("dies"))
    assert int((tmp_path / "last").read_text()) != os.getpid()


def test_one_process_is_this_one(tmp_path: Path) -> None:
    here = [job for job in jobs(tmp_path) if job.name not in ("dies", "last")]
    ended = {one.job.name: one.error for one in perform(here, processes=1, started=lambda _: None)}
    assert ended["second"] is None
    assert "as it had to be" in str(ended["fails"])
    assert int((tmp_path / "first").read_text()) == os.getpid()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_job_ends_all(processes: int, tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(perform([Job("stops", stop, dict), *jobs(tmp_path)[3:4]], processes=processes, started=lambda _: None))
    assert time.monotonic() - begun < 60
