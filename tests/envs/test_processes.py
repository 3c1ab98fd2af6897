"""Workers end with the process that started them, and are not stopped while they start."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curriculum_rl.envs.shards import _work

START = """
import multiprocessing, time
from curriculum_rl.envs.processes import end_with_parent

def work(pipe):
    end_with_parent()
    pipe.send(None)
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=work, args=(theirs,))
    worker.start()
    ours.recv()
    print(worker.pid, flush=True)
    time.sleep(600)
"""

STOPPED = """
import multiprocessing, os, signal, sys, time
from curriculum_rl.envs.processes import listen, starting_workers

if __name__ != "__main__":
    print("importing", flush=True)
    time.sleep(0.5)

def work():
    try:
        listen()
        time.sleep(600)
    except KeyboardInterrupt:
        sys.exit(7)

if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work)
    try:
        with starting_workers():
            worker.start()
            os.kill(os.getpid(), signal.SIGINT)
            known = True
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the group, which comes when the worker imports
        worker.join()
        print(known, worker.exitcode, flush=True)
"""

SHADOWED = """
import multiprocessing
from curriculum_rl.envs.processes import starting_workers

def work():
    print("worked", flush=True)

if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work)
    with starting_workers():
        worker.start()
    worker.join()
"""


def is_running(pid: int) -> bool:
    """Whether a process is there; one that nobody has waited for is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text(START)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "start.py")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(worker)


def test_ctrl_c_waits_until_a_process_that_starts_is_known_and_can_answer(tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text(STOPPED)
    command = [sys.executable, str(tmp_path / "start.py")]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "importing\n"
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=30)
    assert (out, err) == ("True 7\n", "")


def test_a_shard_whose_parent_has_ended_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(theirs, None, {}))  # no configuration: it has an error to report
    ours.close()
    worker.start()
    theirs.close()
    worker.join(timeout=60)
    assert worker.exitcode == 0
    assert capfd.readouterr().err == ""


def test_no_process_that_starts_reads_the_working_directory_for_a_library(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for name in ("pickle", "struct", "signal", "threading", "typing"):
        (tmp_path / "here" / f"{name}.py").write_text("print('shadowed', flush=True)")
    (tmp_path / "start.py").write_text(SHADOWED)
    command = [sys.executable, str(tmp_path / "start.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "here", timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("worked\n", "")
