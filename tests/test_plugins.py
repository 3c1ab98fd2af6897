"""Classes of the user's own: what is wrong with the name is one line, what is wrong in his code is his own error."""

import pytest

from curriculum_rl import plugins
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import Custom

MODULES = {
    "own_fine": "N = 3\nclass Thing:\n def __init__(self, size, *, scale=1):\n  self.size, self.scale = size, scale",
    "own_wanting": "import no_such_library",
    "own_wanting_a_part": "import os.no_such_part",
    "own_wanting_a_name": "from collections import nothing_of_the_kind",
    "own_broken": "class Thing:\n    def __init__(self):\n        len(5)",
    "own_buggy": "1 / 0",
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_class_is_found_and_made(own):
    made = plugins.make(plugins.load("own_fine:Thing", "kind"), "own_fine:Thing", "kind", {"size": 2, "scale": 3})
    assert (type(made).__module__, made.size, made.scale) == ("own_fine", 2, 3)
    made = plugins.custom(Custom.model_validate({"kind": "own_fine:Thing", "scale": 4}), size=5)
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
        plugins.custom(Custom(kind="own_broken:Thing"))
