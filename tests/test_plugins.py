"""Classes of the user's own: what is wrong with the name is one line, what is wrong in his code is his own error."""

import os
import sys
from typing import Any, Protocol

import pytest

from curriculum_rl import plugins
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import Custom

MODULES = {
    "own_fine": """
N = 3
class Thing:
    def __init__(self, size, *, scale=1):
        self.size, self.scale = size, scale
    def grow(self):
        pass
class Shapeless:
    def grow(self):
        pass
def make(size):
    return Thing(size)
""",
    "own_wanting": "import no_such_library",
    "own_wanting_a_part": "import os.no_such_part",
    "own_wanting_a_name": "from collections import nothing_of_the_kind",
    "own_broken": "class Thing:\n    size = 1\n    def __init__(self):\n        len(5)\n    grow = __init__",
    "own_buggy": "1 / 0",
}


class Sized(Protocol):
    size: int

    def grow(self) -> None: ...


@pytest.fixture
def own(tmp_path, monkeypatch):
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_class_is_found_and_made(own):
    made = plugins.make(plugins.load("own_fine:Thing", "kind"), "own_fine:Thing", "kind", {"size": 2, "scale": 3})
    assert (type(made).__module__, made.size, made.scale) == ("own_fine", 2, 3)
    made = plugins.custom(Custom.model_validate({"kind": "own_fine:Thing", "scale": 4}), Sized, "thing", size=5)
    assert (made.size, made.scale) == (5, 4)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("own_fine", "agent: must be module:Class .got 'own_fine'."),
        ("own_fine:", "agent: must be module:Class .got 'own_fine:'."),
        ("no_such.place:Thing", "agent: 'no_such.place:Thing': there is no module 'no_such'"),
        ("own_fine.part:Thing", "agent: 'own_fine.part:Thing': there is no module 'own_fine.part'"),
        ("own_fine:Other", r"agent: 'own_fine:Other': .*own_fine\.py has no 'Other'"),
    ],
)
def test_a_wrong_name_is_one_line(own, spec, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        plugins.load(spec, "agent")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("own_wanting", ModuleNotFoundError, "No module named 'no_such_library'"),
        ("own_wanting_a_part", ModuleNotFoundError, r"No module named 'os\.no_such_part'"),
        ("own_wanting_a_name", ImportError, "cannot import name 'nothing_of_the_kind' from 'collections'"),
        ("own_buggy", ZeroDivisionError, "division by zero"),
    ],
)
def test_what_a_module_raises_is_shown_as_it_is(own, name, error, message):
    with pytest.raises(error, match=message):
        plugins.load(f"{name}:Thing", "kind")


@pytest.mark.parametrize(
    ("spec", "arguments", "message"),
    [
        ("own_fine:Thing", {}, "does not take .*: missing a required argument: 'size'"),
        (
            "own_fine:Thing",
            {"size": 1, "shape": 2},
            "does not take .*: got an unexpected keyword argument 'shape'",
        ),
        ("own_fine:N", {}, "is no class, but int"),
    ],
)
def test_wrong_arguments_are_one_line(own, spec, arguments, message):
    with pytest.raises(ConfigError, match=f"^kind: '{spec}' {message}$"):
        plugins.make(plugins.load(spec, "kind"), spec, "kind", arguments)


def test_what_a_constructor_raises_is_shown_as_it_is(own):
    with pytest.raises(TypeError, match=r"object of type 'int' has no len\(\)"):
        plugins.custom(Custom(kind="own_broken:Thing"), Sized, "thing")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("own_fine:Shapeless", "thing: Shapeless lacks size"),
        ("own_fine:make", "thing: 'own_fine:make' is no class, but function"),
        ("own_fine:N", "thing: 'own_fine:N' is no class, but int"),
        ("subprocess:Popen", "thing: Popen lacks grow, size"),
        ("os:system", "thing: 'os:system' is no class, but builtin_function_or_method"),
    ],
)
def test_what_does_not_satisfy_the_protocol_is_never_called(own, spec, said):
    with pytest.raises(ConfigError, match=f"^{said}"):
        plugins.custom(Custom.model_validate({"kind": spec, "args": "touch never"}), Sized, "thing", size=1)


def protocols() -> dict[str, type]:
    """By kind, what a class of the user's own is held to; corpora are called with nothing of ours."""
    from curriculum_rl.learners.base import Learner
    from curriculum_rl.methods.base import Method
    from curriculum_rl.objectives.base import Objective
    from curriculum_rl.proxies.base import Proxy
    from curriculum_rl.signals.base import Instrument
    from curriculum_rl.text.documents import Source

    return {one.__name__: one for one in (Source, Objective, Learner, Method, Proxy, Instrument)}


@pytest.mark.parametrize("wanted", protocols().values(), ids=protocols())
def test_no_class_of_the_standard_library_passes_for_one_of_ours(wanted):
    """Among them those that run what they are told, and all that are callable."""
    import concurrent.futures
    import ctypes
    import functools
    import runpy
    import subprocess
    import threading
    import unittest.mock

    known: set[Any] = {subprocess.Popen, threading.Thread, functools.partial, ctypes.CDLL, unittest.mock.Mock}
    for module in (
        subprocess,
        threading,
        functools,
        ctypes,
        runpy,
        concurrent.futures,
        os,
        *map(sys.modules.get, sys.stdlib_module_names),
    ):
        known |= {one for one in vars(module).values() if isinstance(one, type)} if module else set()
    assert len(known) > 500
    for found in known:
        with pytest.raises(ConfigError, match="lacks"):
            plugins.suitable(found, wanted, "some:Class", "key")


FOLDER = {
    "mine.py": "import json\nclass Thing:\n    dumps = staticmethod(json.dumps)\n",
    "json.py": "raise AssertionError('the library is shadowed')",
    "lab/__init__.py": "from .part import Thing",
    "lab/part.py": "class Thing: pass",
    "also.py": "class Thing: pass",
    "bad.py": "1 / 0",
}


def test_a_module_is_read_from_its_folder_and_nothing_else_there(tmp_path):
    for name, text in FOLDER.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = list(sys.path)
    thing = plugins.load(f"{tmp_path}/mine:Thing", "kind")
    assert thing.dumps([1]) == "[1]" and plugins.load(f"{tmp_path}/mine:Thing", "kind") is thing
    assert sys.modules[thing.__module__].Thing is thing and thing.__module__ != "mine"
    assert plugins.load(f"{tmp_path}/lab.part:Thing", "kind") is plugins.load(f"{tmp_path}/lab:Thing", "kind")
    assert sys.path == before and "mine" not in sys.modules and "lab" not in sys.modules
    sys.path.append(str(tmp_path))  # then its name leads there, too, and it is read once
    again = plugins.load(f"{tmp_path}/also:Thing", "kind")
    assert again is plugins.load("also:Thing", "kind") and again.__module__ == "also"
    sys.path.remove(str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            plugins.load(f"{tmp_path}/bad:Thing", "kind")
    for spec in ("other:Thing", "lab.other:Thing"):
        with pytest.raises(ConfigError, match=f"^kind: '{tmp_path}/{spec}': there is no module"):
            plugins.load(f"{tmp_path}/{spec}", "kind")


def test_the_working_directory_comes_last_and_only_where_a_class_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "own_here.py").write_text("class Thing: pass")
    (tmp_path / "json.py").write_text("class Thing: pass")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    with pytest.raises(ConfigError, match="has no 'Thing'"):
        plugins.load("json:Thing", "kind")
    with pytest.raises(ConfigError, match="there is no module 'own_elsewhere'"):
        plugins.load("own_elsewhere:Thing", "kind")
    assert str(tmp_path) not in sys.path
    assert plugins.load("own_here:Thing", "kind").__module__ == "own_here"
    assert sys.path[-1] == str(tmp_path)
