"""A law: it is right about published runs that it has not seen, and refuses what it cannot be fitted to."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from curriculum_rl.envs.closed_form.mixture_runs import read_runs
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixtures.law import MixtureLaw

LOSSES = [f"metric/the_pile_{name}_val_loss" for name in ("pile_cc", "ubuntu_irc", "arxiv")]


def test_trees_rank_published_runs_that_they_have_not_seen_better_than_the_ridge(real_data: Path):
    """Fitted to 512 runs of 1M parameters; three losses of the thirteen, which `benchmarks/laws.py` has whole."""
    folder = real_data / "regmix_mixtures"
    if not folder.is_dir():
        pytest.skip(f"needs RegMix's tables at {folder}")

    def runs(part, size):
        files = [folder / f"{part}_{name}_{size}.csv.gz" for name in ("mixture", "pile_loss")]
        return read_runs(files, shares="train_", losses=LOSSES)

    fitted = runs("train", "1m")
    trees, ridge = (MixtureLaw(kind, fitted.mixtures, fitted.losses) for kind in ("trees", "ridge"))
    for unseen in (runs("test", "1m"), runs("test", "60m")):
        assert trees.predict(unseen.mixtures).shape == (256, 3)
        ranks = [
            [spearmanr(p, t).statistic for p, t in zip(law.predict(unseen.mixtures).T, unseen.losses.T, strict=True)]
            for law in (trees, ridge)
        ]
        assert min(ranks[0]) > 0.95 and min(ranks[1]) > 0.9
        assert np.mean(ranks[0]) > np.mean(ranks[1]) + 0.005


def test_bounded_predictions_lie_within_what_runs_had():
    draw = np.random.default_rng(0)
    mixtures = draw.dirichlet(np.ones(3), 30)
    losses = np.sqrt(mixtures) @ draw.normal(size=(3, 2))
    law = MixtureLaw("ridge", mixtures, losses)
    corners = np.eye(3)
    assert (law.predict(corners) < losses.min(axis=0)).any() or (law.predict(corners) > losses.max(axis=0)).any()
    bounded = law.bounded(corners)
    assert (bounded >= losses.min(axis=0)).all() and (bounded <= losses.max(axis=0)).all()


@pytest.mark.parametrize(
    ("kind", "runs", "message"),
    [
        ("forest", 30, "law: 'forest' must be one of trees, ridge"),
        ("trees", 23, "law: 'trees' needs at least 24 runs, and there are 23"),
        ("ridge", 1, "law: 'ridge' needs at least 2 runs, and there are 1"),
    ],
)
def test_mistakes_get_one_line(kind: str, runs: int, message: str):
    with pytest.raises(ConfigError, match=message):
        MixtureLaw(kind, np.full((runs, 2), 0.5), np.zeros((runs, 1)))
