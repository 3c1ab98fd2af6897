"""Whatever ends a command: one line with path, reason and what to do; a traceback with --debug, or of a plug-in."""

import errno
import inspect
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from curriculum_rl.errors import ConfigError, ShardError
from curriculum_rl.recording import runs
from curriculum_rl.scripts import failing
from curriculum_rl.scripts.main import app, main


def raised(act: Callable[[], Any]) -> Exception:
    """What a call raises, as if a module of ours had made the call."""
    scope: dict[str, Any] = {"__name__": "curriculum_rl.made_up", "act": act}
    exec(compile("def call():\n    return act()\n", runs.__file__, "exec"), scope)
    try:
        scope["call"]()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def of_system(number: int, path: str | None = "/there/file") -> Exception:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (errno.ENOSPC, 1, "make room; a run goes on with --resume"),
        (errno.EDQUOT, 1, "make room"),
        (errno.EACCES, 2, "permissions"),
        (errno.EROFS, 2, "can be written"),
        (errno.ENOENT, 2, "link leads nowhere"),
        (errno.ENAMETOOLONG, 2, "shorter name"),
        (errno.ELOOP, 2, "circle"),
        (errno.EIO, 1, "--debug"),
    ],
)
def test_an_error_of_the_system_has_path_reason_and_advice(number: int, status: int, said: str) -> None:
    message, found = failing.explained(of_system(number))
    assert message.startswith(f"/there/file: {os.strerror(number)}; ")
    assert said in message and "\n" not in message
    assert found == status
    assert failing.explained(of_system(number, None))[0].startswith(os.strerror(number))
    renamed = OSError(number, os.strerror(number), "/there/.file.7.tmp", None, "/there/file")
    assert failing.explained(renamed)[0] == message


def damaged(folder: Path) -> dict[str, Callable[[], Any]]:
    """Calls of libraries that fail on a damaged file."""
    (folder / "file").write_bytes(b"\x80\x02{broken")
    path = folder / "file"
    return {
        "json": partial(json.loads, "{"),
        "yaml": partial(yaml.safe_load, "a: ["),
        "safetensors": partial(load_file, path),
        "zipfile": partial(zipfile.ZipFile, path),
        "zlib": partial(zlib.decompress, b"x"),
        "torch": partial(torch.nn.Linear(2, 2).load_state_dict, {}),
    }


@pytest.mark.parametrize("library", ["json", "yaml", "safetensors", "zipfile", "zlib", "torch"])
def test_an_error_of_a_library_is_one_line_that_names_it(tmp_path: Path, library: str) -> None:
    error = raised(damaged(tmp_path)[library])
    assert not failing.is_users_own(error)
    message, status = failing.explained(error)
    assert message.startswith(library) and "--debug" in message and "\n" not in message
    assert (status, len(message) < 700) == (1, True)


def test_an_error_of_ours_asks_to_be_reported() -> None:
    scope: dict[str, Any] = {"__name__": "curriculum_rl.made_up"}
    exec(compile("def call():\n    return len(5)\n", runs.__file__, "exec"), scope)
    error = raised(scope["call"])
    assert not failing.is_users_own(error)
    message, status = failing.explained(error)
    assert message.startswith("TypeError: object of type 'int' has no len(): an error inside; --debug")
    assert "report" in message and status == 1
    assert failing.is_users_own(raised(lambda: len(5)))  # type: ignore[arg-type]  # this file is not ours


def test_mistakes_and_shards_keep_their_words() -> None:
    assert failing.explained(ConfigError("seed: wrong")) == ("seed: wrong", 2)
    assert failing.explained(ShardError("shard 1 failed:\nTraceback")) == ("shard 1 failed:\nTraceback", 1)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


def places(folder: Path) -> dict[str, tuple[Path, str]]:
    """Places where no run can be, and what is said of them."""
    (folder / "file").touch()
    (folder / "link").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    return {
        "file": (folder / "file", "is a file, not a directory"),
        "below a file": (folder / "file" / "run", "Not a directory; a part of the path is a file"),
        "dangling": (folder / "link", "is a link to"),
        "loop": (folder / "loop", "link"),
        "long": (folder / ("x" * 300), "File name too long; choose a shorter name"),
        "no folder can be made": (Path("/proc/none/run"), "No such file or directory"),
    }


@pytest.mark.parametrize("place", ["file", "below a file", "dangling", "loop", "long", "no folder can be made"])
@pytest.mark.parametrize("verb", ["train", "compare"])
def test_a_place_where_no_run_can_be_is_one_line(
    command: Callable[..., tuple[int, str]], tiny: dict[str, Any], tmp_path: Path, verb: str, place: str
) -> None:
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(tiny))
    out, said = places(tmp_path)[place]
    agents = ["--agents" if verb == "compare" else "--agent", "exp3s"]
    status, err = command(verb, "--env", str(tmp_path / "env.yaml"), *agents, "--out", str(out))
    lines = [line for line in err.splitlines() if line.strip()]
    assert status == 2, err
    assert lines[-1].startswith("curriculum-rl: ") and said in lines[-1]
    assert "Traceback" not in err


def test_debug_shows_the_traceback_and_the_line(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    arguments = ["evaluate", str(tmp_path)]
    status, line = command(*arguments)
    assert (status, len(line.splitlines())) == (2, 1)
    status, err = command(*arguments, "--debug")
    assert status == 2
    assert "Traceback" in err and err.endswith(line)
    assert all("debug" in inspect.signature(one.callback).parameters for one in app.registered_commands if one.callback)
