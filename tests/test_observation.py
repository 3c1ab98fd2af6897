"""The features that agents see, made without any run of ours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from curriculum_rl.observation import BOUND, RUN_FEATURES, TASK_FEATURES, Observer, Segment, bounded

DIVERGENCE = np.array([0.1, 0.2, 0.7])
PRIOR = np.array([0.5, 0.5, 0.0])


@pytest.fixture
def observer() -> Observer:
    return Observer(2, windows=np.array([10, 20, 5]), divergence=DIVERGENCE, prior=PRIOR, vocabulary=100)


def segment(**changes: object) -> Segment:
    told = {
        "losses": np.array([[2.0, np.nan, 3.0], [2.0, 4.0, 3.0]]),
        "picks": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        "gain": np.array([0.01, -0.02]),
        "score": np.array([0.05, 0.0]),
        "rows": np.array([[10, 0, 10], [0, 20, 5]]),
        "budget_left": 0.75,
        "learning_rate": 0.5,
    }
    return Segment(**{**told, **changes})  # type: ignore[arg-type]


def test_before_the_first_segment(observer: Observer) -> None:
    tasks, run = observer.first()
    assert tasks.shape == (2, 3, len(TASK_FEATURES))
    assert tasks[..., TASK_FEATURES.index("loss")].tolist() == [[1.0] * 3] * 2
    assert tasks[1, :, TASK_FEATURES.index("divergence")] == pytest.approx(DIVERGENCE)
    assert tasks[1, :, TASK_FEATURES.index("prior")] == pytest.approx([np.log(1.5), np.log(1.5), -5])
    assert run.tolist() == [[1.0, 0.0, 0.0, 0.0]] * 2


def test_what_every_feature_is(observer: Observer) -> None:
    tasks, run = observer.observe(segment())
    found = dict(zip(TASK_FEATURES, np.moveaxis(tasks, -1, 0), strict=True))
    log_vocabulary = np.log(100)
    assert found["loss"][0] == pytest.approx([2 / log_vocabulary, 1.0, 3 / log_vocabulary])
    assert found["slope"][0] == pytest.approx([2 - log_vocabulary, 0.0, 3 - log_vocabulary])
    assert found["share"][1] == pytest.approx([0.0, 0.8, 0.2])
    assert found["staleness"][0] == pytest.approx([0.0, np.log10(2), np.log10(2)])
    assert found["gain"].tolist() == pytest.approx(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -2.0]]))
    assert found["repetitions"][1] == pytest.approx([0.0, np.log(2), np.log(2)])
    assert dict(zip(RUN_FEATURES, run[1], strict=True)) == pytest.approx(
        {"budget_left": 0.75, "score": 0.0, "score_slope": -2.0, "learning_rate": 0.5}
    )
    tasks, _ = observer.observe(segment(picks=np.full((2, 3), 1 / 3), gain=np.array([0.02, 0.02])))
    assert tasks[0, :, TASK_FEATURES.index("gain")] == pytest.approx([2.0] * 3)
    assert tasks[0, :, TASK_FEATURES.index("staleness")].tolist() == [0.0] * 3


def test_a_state_continues(observer: Observer) -> None:
    observer.observe(segment())
    other = Observer(2, windows=np.array([10, 20, 5]), divergence=DIVERGENCE, prior=PRIOR, vocabulary=100)
    other.load_state(observer.state())
    for one, same in zip(observer.observe(segment()), other.observe(segment()), strict=True):
        assert one.tolist() == same.tolist()


@given(arrays(np.float64, (2, 3), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_features_are_finite_and_bounded(values: np.ndarray) -> None:
    found = bounded(values)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= BOUND
