"""Classes of the user's own in an environment: typed or written in Python they are trusted, in a file only if it is."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import KINDS, own
from curriculum_rl.schema import load as configs

OWN: dict[str, Any] = {"kind": "own_module:Thing", "size": 3}
PLACES: dict[str, Any] = {
    "corpora.mine.kind": {"corpora": {"mine": OWN}},
    "target.corpus.kind": {"target": {"corpus": OWN}},
    "tasks.0.objective.kind": {"tasks": [{"objective": OWN}]},
    "learner.kind": {"learner": OWN},
    "method.kind": {"method": OWN},
    "proxy.kind": {"proxy": OWN},
}


@pytest.fixture(autouse=True)
def _untrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CURRICULUM_RL_TRUST", raising=False)


def content_of(place: str, tiny: dict[str, Any]) -> dict[str, Any]:
    extra = PLACES[place]
    return {**tiny, **extra, "corpora": {**tiny["corpora"], **extra.get("corpora", {})}}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def call(content: dict[str, Any]) -> Path:
        (tmp_path / "env.yaml").write_text(yaml.safe_dump(content))
        return tmp_path / "env.yaml"

    return call


def test_every_kind_that_may_be_ones_own_has_a_place_here() -> None:
    assert {place.split(".")[-2] for place in PLACES} | {"tokenizers"} >= {"objective", "learner", "method", "proxy"}
    assert len(KINDS) == len(PLACES)  # tokenizers cannot be, the target's corpus can


@pytest.mark.parametrize("place", PLACES)
def test_a_file_names_none_unless_it_is_trusted(
    tiny: dict[str, Any], place: str, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(place, tiny)
    assert configs.load(content)  # written in Python
    file = write(content)
    for trust in (None, False):
        with pytest.raises(ConfigError) as error:
            configs.load(file, trust=trust)
        message = str(error.value)
        assert message.startswith(f"{file}: {place}: 'own_module:Thing' is a class") and "\n" not in message
        assert "--trust" in message and "CURRICULUM_RL_TRUST=1" in message
    config = configs.load(file, trust=True)
    for value, trusted in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("CURRICULUM_RL_TRUST", value)
        assert own.is_trusted() is trusted
    monkeypatch.setenv("CURRICULUM_RL_TRUST", "1")
    assert configs.load(file) == config
    monkeypatch.delenv("CURRICULUM_RL_TRUST")
    run = config.model_dump(mode="json")
    with pytest.raises(ConfigError, match=rf"config\.yaml: {place}: "):
        configs.of_run(run, file.with_name("config.yaml"))
    assert configs.of_run(run, file.with_name("config.yaml"), trust=True) == config
    assert configs.load(config, {"batch": 8}).batch == 8  # checked before
    assert "own_module" not in sys.modules


def test_what_is_typed_is_trusted_and_replaces_what_a_file_says(tiny: dict[str, Any], write: Any) -> None:
    file = write({**tiny, "proxy": OWN})
    assert configs.load(file, {"proxy": {"kind": "heldout_loss"}}).proxy.kind == "heldout_loss"
    assert configs.load(file, {"proxy.kind": "typed:Thing"}).proxy.kind == "typed:Thing"
    assert configs.load(file, {"proxy": {"kind": "typed:Thing"}}).proxy.kind == "typed:Thing"
    with pytest.raises(ConfigError, match=r"proxy\.kind: 'own_module:Thing' is a class"):
        configs.load(file, {"proxy.size": 4, "learner.kind": "typed:Thing"})
    file = write(tiny)
    assert configs.load(file, {"learner": OWN}).learner.kind == "own_module:Thing"


def test_a_module_beside_a_file_is_meant_first_and_by_its_place(
    tiny: dict[str, Any], write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kind(spec: str, **more: Any) -> str:
        return str(configs.load(write({**tiny, "proxy": {"kind": spec}}), trust=True, **more).proxy.kind)

    assert kind("own_module:Thing") == "own_module:Thing"
    (tmp_path / "own_module.py").write_text("class Thing: pass")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").touch()
    (tmp_path / "json.py").touch()
    assert kind("own_module:Thing") == f"{tmp_path}/own_module:Thing"
    assert kind("lab.part:Thing") == f"{tmp_path}/lab.part:Thing"
    assert kind("json:Thing") == f"{tmp_path}/json:Thing"
    assert kind("other/own_module:Thing") == f"{tmp_path}/other/own_module:Thing"
    assert kind(f"{tmp_path}/own_module:Thing") == f"{tmp_path}/own_module:Thing"
    assert json.dumps([]) == "[]" and str(tmp_path) not in sys.path
    # What is typed is a name, wherever it is typed; with a folder, one that is seen from the working directory.
    monkeypatch.chdir(tmp_path)
    assert kind("x:Y", overrides={"proxy.kind": "own_module:Thing"}) == "own_module:Thing"
    assert kind("x:Y", overrides={"proxy.kind": "./own_module:Thing"}) == f"{tmp_path}/own_module:Thing"
    # What else could be imported makes no difference: a run is continued as it was begun.
    monkeypatch.syspath_prepend(tmp_path)
    assert kind("own_module:Thing") == f"{tmp_path}/own_module:Thing"


@pytest.mark.parametrize("spec", ["a:b:c", "a/b:", ":C", "/:C", "a b:C", "a\n:C", "../:C"])
def test_what_is_no_class_is_refused(tiny: dict[str, Any], write: Any, spec: str) -> None:
    with pytest.raises(ConfigError, match=r"^proxy\.kind: "):
        configs.load(write({**tiny, "proxy": {"kind": spec}}), trust=True)
