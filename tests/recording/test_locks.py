"""The lock of a directory: one holder, gone with it however it ends, and nothing changed by whoever is refused."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.locks import LOCK, DirectoryLock

HOLD = """
import sys, time
from pathlib import Path
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.locks import DirectoryLock
directory = Path(sys.argv[1])
sys.stdin.readline()
try:
    with DirectoryLock(directory):
        print("held", flush=True)
        sys.stdin.readline()
except ConfigError as error:
    print(error, flush=True)
"""


def start(directory: Path) -> subprocess.Popen[str]:
    """A process that takes the lock when it reads a line, and gives it back when it reads another."""
    command = [sys.executable, "-c", HOLD, str(directory)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_that_begin_at_once_are_one_holder_and_a_refusal_that_names_it(tmp_path: Path) -> None:
    both = [start(tmp_path), start(tmp_path)]
    for process in both:
        go(process)
    first = {process: said(process) for process in both}
    holder = next(process for process, text in first.items() if text == "held")
    (refused,) = (text for process, text in first.items() if process is not holder)
    assert f"{tmp_path} is being written by process {holder.pid} on " in refused
    before = (tmp_path / LOCK).read_bytes()
    with pytest.raises(ConfigError, match=f"process {holder.pid} on "), DirectoryLock(tmp_path):
        pass
    assert (tmp_path / LOCK).read_bytes() == before
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == holder.pid  # what a killed process leaves is no lock
    with DirectoryLock(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert (tmp_path / LOCK).read_text() == ""
    for process in both:
        process.communicate()


def test_a_holder_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    process = start(tmp_path)
    go(process)
    assert said(process) == "held"
    go(process)
    with DirectoryLock(tmp_path, wait=20):
        pass
    process.communicate()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\xff"])
def test_a_lock_whose_file_says_nothing_is_a_lock(tmp_path: Path, content: str) -> None:
    with DirectoryLock(tmp_path):
        (tmp_path / LOCK).write_text(content, encoding="latin-1")
        with pytest.raises(ConfigError, match="is being written by another process"), DirectoryLock(tmp_path):
            pass
    (tmp_path / LOCK).write_text(content, encoding="latin-1")
    with DirectoryLock(tmp_path):
        pass
