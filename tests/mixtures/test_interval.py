"""Intervals hold as many new runs as they say, near the old ones and in regions that were left out."""

from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.envs.closed_form.mixture_runs import MixtureRuns, read_runs
from curriculum_rl.mixtures import trees
from curriculum_rl.mixtures.law import MixtureLaw

DRAW = np.random.default_rng(0)
OLD, NEW = DRAW.dirichlet(np.ones(4), 150), DRAW.dirichlet(np.ones(4), 1000)


@pytest.fixture
def quick(monkeypatch):
    """Trees of a tenth of the rounds at ten times the rate."""
    monkeypatch.setattr(trees, "_PUBLISHED", trees._PUBLISHED | {"num_iterations": 100, "learning_rate": 0.1})
    monkeypatch.setattr(trees, "_QUANTILE_ROUNDS", 30)


def ends(mixtures: np.ndarray) -> np.ndarray:
    """A loss whose noise grows with the first share."""
    noise = (0.02 + mixtures[:, 0]) * DRAW.normal(size=len(mixtures))
    return np.asarray(np.sqrt(mixtures) @ [1.0, 2.0, 0.5, 0.0] + 0.3 * noise)[:, None]


def held(limits: np.ndarray, losses: np.ndarray) -> np.ndarray:
    return np.asarray((losses >= limits[0]) & (losses <= limits[1]))


@pytest.mark.parametrize("kind", ["trees", "ridge"])
def test_nine_of_ten_new_runs_are_held(kind, quick):
    law = MixtureLaw(kind, OLD, ends(OLD))
    limits, later = law.interval(NEW), ends(NEW)
    assert held(limits, later).mean() == pytest.approx(0.9, abs=0.06)
    width, noisy = np.diff(limits, axis=0)[0, :, 0], NEW[:, 0] > 0.5
    assert (width > 0).all()
    if kind == "trees":  # the ridge's is as wide everywhere
        assert width[noisy].mean() > 1.2 * width[~noisy].mean()


@pytest.mark.parametrize("kind", ["trees", "ridge"])
def test_far_from_the_runs_it_is_wider_and_still_holds_most(kind, quick):
    """Runs in which the second task has the largest share, which end best, are left out."""
    left = OLD.argmax(axis=1) == 1
    law = MixtureLaw(kind, OLD[~left], ends(OLD[~left]))
    beyond = NEW[law.far(NEW)]
    limits, later = law.interval(beyond), ends(beyond)
    assert (beyond.argmax(axis=1) == 1).sum() > 100
    assert held(limits, later).mean() > 0.8
    near = NEW[~law.far(NEW)]
    assert np.diff(limits, axis=0).mean() > np.diff(law.interval(near), axis=0).mean()


def test_of_one_region_nothing_is_known_elsewhere():
    mixtures = np.column_stack([1 - 0.01 * np.arange(20), 0.01 * np.arange(20)])
    law = MixtureLaw("ridge", mixtures, np.sqrt(mixtures).sum(axis=1, keepdims=True))
    assert law.far(np.array([0.1, 0.9])) and not law.far(mixtures).any()
    assert law.interval(np.array([0.1, 0.9]))[:, 0].tolist() == [-np.inf, np.inf]
    assert np.isfinite(law.interval(mixtures)).all()


@pytest.fixture(scope="module")
def published(real_data: Path) -> list[MixtureRuns]:
    """RegMix's runs of 1M parameters: those to fit, and the others."""
    folder = real_data / "regmix_mixtures"
    if not folder.is_dir():
        pytest.skip(f"needs RegMix's tables at {folder}")
    names = ("mixture", "pile_loss")
    files = [[folder / f"{part}_{name}_1m.csv.gz" for name in names] for part in ("train", "test")]
    return [read_runs(pair, shares="train_", losses="metric/") for pair in files]


@pytest.mark.parametrize("kind", ["trees", "ridge"])
def test_published_runs_are_held(kind, quick, published):
    """docs/laws.md has what the full trees do."""
    old, new = published
    place = [old.outcomes.index("the_pile_pile_cc_val_loss")]
    law = MixtureLaw(kind, old.mixtures, old.losses[:, place])
    assert 0.85 < held(law.interval(new.mixtures), new.losses[:, place]).mean() < 0.98
    assert law.far(new.mixtures).sum() == 0 and law.far(np.full(17, 1 / 17))
