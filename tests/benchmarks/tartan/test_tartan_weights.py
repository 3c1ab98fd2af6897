"""Who says the weights: equal shares, META-TARTAN by hand, and the agents' own rule."""

import math

import numpy as np
import pytest
from tartan_arms import ByRule, Even, Meta

from curriculum_rl.agents.mixers.meta_tartan import MetaTartan
from curriculum_rl.agents.mixers.rule import Feedback


def test_even_weights_never_move():
    even = Even(3)
    even.hear(np.array([1.0, -1.0, 0.0]))
    assert even.weights().tolist() == [1 / 3] * 3
    assert not even.listens


def test_meta_by_hand():
    """Logits .5, .5; cosines .6 and -.8 at rate .1 give .56, .42; then 0 and 1 give .56, .52."""
    meta = Meta(2, rate=0.1)
    assert meta.weights().tolist() == [0.5, 0.5]
    meta.hear(np.array([0.6, -0.8]))
    assert meta.logits == pytest.approx([0.56, 0.42])
    assert meta.weights()[0] == pytest.approx(1 / (1 + math.exp(-0.14)))
    meta.hear(np.array([0.0, 1.0]))
    assert meta.weights()[0] == pytest.approx(1 / (1 + math.exp(-0.04)))


def test_a_logit_moves_by_the_rate_at_most():
    """The paper's quirk: weights drift slowly, whatever the gradients' lengths."""
    meta = Meta(2, rate=0.01)
    for _ in range(90):
        meta.hear(np.array([1.0, -1.0]))
    assert meta.logits == pytest.approx([0.5 + 0.9, 0.5 - 0.9])


def test_the_agents_rule_gives_the_same_weights():
    ours, theirs = Meta(3, rate=0.05), ByRule(MetaTartan(step=0.05), Feedback, 3)
    draw = np.random.default_rng(0)
    for _ in range(20):
        cosines = draw.uniform(-1, 1, 3)
        ours.hear(cosines)
        theirs.hear(cosines)
        assert theirs.weights() == pytest.approx(ours.weights())
    assert abs(ours.weights() - 1 / 3).max() > 0.01
