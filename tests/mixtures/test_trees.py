"""Trees: the published ones, from few runs too; the same twice; and what is said where LightGBM is not there."""

import builtins
import sys
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.mixers.regmix import RegMix
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures.law import MixtureLaw
from curriculum_rl.mixtures.trees import Trees, boosted

MIXTURES = np.random.default_rng(0).dirichlet(np.full(5, 0.5), 300)
LOSS = 3 - np.sqrt(MIXTURES) @ np.array([1.0, 0.5, 0.2, 0.0, 0.0])


def test_they_are_as_published():
    """Bit for bit LightGBM's own with RegMix's arguments; a leaf holds 20 runs by default."""
    import lightgbm

    published = {"objective": "regression", "learning_rate": 1e-2, "seed": 42, "verbosity": -1, "num_threads": 1}
    theirs = lightgbm.train(published, lightgbm.Dataset(MIXTURES, LOSS), num_boost_round=1000)
    law = Trees.fit(MIXTURES, LOSS[:, None])
    assert law.boosters[0].num_trees() == 1000
    assert np.array_equal(law.predict(MIXTURES)[:, 0], theirs.predict(MIXTURES))
    assert np.array_equal(law.predict(MIXTURES), Trees.fit(MIXTURES, LOSS[:, None]).predict(MIXTURES))
    assert law.predict(MIXTURES[None, :6]).shape == (1, 6, 1)


def leaves(node: dict[str, Any]) -> list[int]:
    """How many runs each leaf of a tree holds."""
    if "leaf_count" in node:
        return [node["leaf_count"]]
    return leaves(node["left_child"]) + leaves(node["right_child"])


@pytest.mark.parametrize(("runs", "least"), [(24, 2), (64, 5), (239, 19), (300, 20)])
def test_a_leaf_holds_a_twelfth_of_few_runs(runs: int, least: int):
    trees = boosted(MIXTURES[:runs], LOSS[:runs], num_iterations=20).dump_model()["tree_info"]
    held = [leaves(tree["tree_structure"]) for tree in trees]
    assert min(map(min, held)) == least and max(map(len, held)) > 5
    assert {sum(one) for one in held} == {runs}


def test_from_64_runs_they_tell_more_than_with_leaves_of_20():
    wide = boosted(MIXTURES[:64], LOSS[:64], min_data_in_leaf=20).predict(MIXTURES[64:])
    found = Trees.fit(MIXTURES[:64], LOSS[:64, None]).predict(MIXTURES[64:])[:, 0]
    errors = [float(((one - LOSS[64:]) ** 2).mean() / LOSS.var()) for one in (found, wide)]
    assert errors[0] < 0.1 < errors[1]


def test_where_lightgbm_is_not_installed_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    for asked in (RegMix, lambda: MixtureLaw("trees", MIXTURES, LOSS[:, None])):
        with pytest.raises(ConfigError, match=r"^law: trees need LightGBM: pip install 'curriculum-rl\[laws\]'.*$"):
            asked()
    assert RegMix(law="ridge").law == "ridge"
    assert MixtureLaw("ridge", MIXTURES, LOSS[:, None]).interval(MIXTURES[:1]).shape == (2, 1, 1)


def test_where_it_cannot_be_loaded_one_line_says_why(monkeypatch: pytest.MonkeyPatch):
    imported = builtins.__import__

    def without_openmp(name: str, *rest: Any) -> Any:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file\nand more")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_openmp)
    with pytest.raises(ConfigError, match=r"LightGBM, which cannot be loaded: libgomp.so.1: cannot open .* file$"):
        RegMix()
