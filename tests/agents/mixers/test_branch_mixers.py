"""Mixers that read look-ahead branches: steps against numbers written out."""

import numpy as np
import pytest
from made_feedback import feedback, softmax

from curriculum_rl.agents.mixers.aioli import Aioli
from curriculum_rl.agents.mixers.greedy import Greedy
from curriculum_rl.agents.mixers.hedge import Hedge
from curriculum_rl.agents.mixers.rollout import Rollout
from curriculum_rl.agents.mixers.skill_it import SkillIt

NAN = np.nan


def after(rule, *signals, arms=3):
    """The rule's mixture after these measurements."""
    state = rule.start(1, arms)
    for one in signals:
        rule.update(state, feedback(one))
    return rule.mixture(state)[0]


def test_skill_it_by_hand():
    """The graph is the mean of the first two transfers, without negative entries and with 1 as its largest."""
    rule = SkillIt(step=0.5, window=2, graphs=2)
    transfers = [[[4.0, 2.0], [-3.0, 1.0]], [[4.0, 0.0], [-1.0, 1.0]], [[0.0, 9.0], [9.0, 0.0]]]
    losses = [[8.0, 8.0], [3.0, 2.0], [2.0, NAN]]
    told = [{"transfer": t, "heldout_loss": loss} for t, loss in zip(transfers, losses, strict=True)]
    # A = [[1, 1/4], [0, 1/4]]; losses of the last two measurements, the missing one repeated: (5, 4)
    assert after(rule, *told, arms=2) == pytest.approx(softmax([0.5 * (5 + 1), 0.5 * 1]))
    # normalised by the first losses: (5/8, 4/8)
    rule = SkillIt(step=0.5, window=2, graphs=2, normalise=True)
    assert after(rule, *told, arms=2) == pytest.approx(softmax([0.5 * (5 + 1) / 8, 0.5 * 1 / 8]))


def test_skill_it_sums_what_there_is():
    told = {"transfer": np.eye(3), "heldout_loss": [1.0, 2.0, 3.0]}
    assert after(SkillIt(step=0.1), told) == pytest.approx(softmax([0.1, 0.2, 0.3]))


def test_aioli_by_hand():
    """Entries less the least, over their sum: [[3, 1], [0, 4]] / 8, so that rows add up to 1/2 each."""
    first = {"transfer": [[2.0, 0.0], [-1.0, 3.0]]}
    assert after(Aioli(step=1.0), first, arms=2) == pytest.approx([0.5, 0.5])
    second = {"transfer": [[3.0, 1.0], [0.0, 0.0]]}  # rows add up to 1 and 0
    averaged = 0.1 * np.array([0.5, 0.5]) + 0.9 * np.array([1.0, 0.0])
    assert after(Aioli(step=1.0), first, second, arms=2) == pytest.approx(softmax(averaged))
    multiplied = after(Aioli(step=1.0, smoothing=None), second, second, arms=2)
    assert multiplied == pytest.approx(softmax([2.0, 0.0]))


def test_aioli_cannot_leave_its_bound():
    """However different the tasks, no ratio of shares passes e^step."""
    told = {"transfer": np.diag([1e6, 0.0, 0.0])}
    mixture = after(Aioli(), *[told] * 50)
    assert mixture.max() / mixture.min() == pytest.approx(np.exp(0.2))


def test_aioli_counts_an_exploded_branch_as_the_least():
    broken = after(Aioli(), {"transfer": [[2.0, 1.0], [NAN, NAN]]}, arms=2)
    assert broken == pytest.approx(softmax([0.2, 0.0]))


def test_greedy_takes_the_best_and_shares_ties():
    assert after(Greedy(), {"look_ahead": [0.1, 0.3, NAN]}).tolist() == [0, 1, 0]
    assert after(Greedy(), {"look_ahead": [-2.0, -1.0, -1.0]}).tolist() == [0, 0.5, 0.5]
    assert after(Greedy(), {"look_ahead": [-2.0, NAN, NAN]}).tolist() == [1, 0, 0]
    kept = after(Greedy(), {"look_ahead": [0.0, 0.0, 1.0]}, {"look_ahead": [NAN] * 3})
    assert kept.tolist() == [0, 0, 1]


def test_greedy_with_a_temperature():
    """Gains over their mean size: (1, 2, -3) / 2, over the temperature 4."""
    assert after(Greedy(temperature=4.0), {"look_ahead": [1.0, 2.0, -3.0]}) == pytest.approx(
        softmax(np.array([1, 2, -3]) / 8)
    )


def test_hedge_by_hand():
    """Gains less their mean are (-1, 0, 1), their root mean square sqrt(2 / 3); then each gives .3 to the others."""
    weights = softmax(0.5 * np.array([-1, 0, 1]) / np.sqrt(2 / 3))
    shared = 0.7 * weights + 0.3 / 2 * (1 - weights)
    told = {"look_ahead": [1.0, 2.0, 3.0]}
    assert after(Hedge(step=0.5, sharing=0.3), told) == pytest.approx(shared)
    # The second measurement is a tenth as large: the mean square, corrected, is (.9 * .1 * 2/3 + .1 * 2/300) / .19.
    square = (0.9 * 0.1 * 2 / 3 + 0.1 * 2 / 300) / 0.19
    moved = softmax(np.log(shared) + 0.5 * np.array([0.1, 0, -0.1]) / np.sqrt(square))
    twice = after(Hedge(step=0.5, sharing=0.3), told, {"look_ahead": [0.3, 0.2, 0.1]})
    assert twice == pytest.approx(0.7 * moved + 0.3 / 2 * (1 - moved))


def test_hedge_follows_a_change_as_plain_hedge_cannot():
    """The best task changes after 60 of 90 measurements: fixed share is there within ten, plain Hedge is not."""
    told = [{"look_ahead": [1.0, 0.0, 0.0]}] * 60 + [{"look_ahead": [0.0, 0.0, 1.0]}] * 10
    assert after(Hedge(), *told)[2] > 0.9
    assert after(Hedge(sharing=0.0), *told)[2] < 0.01


def test_rollout_by_hand():
    """Half on the best, half even; even where nothing beats a stratified branch; broken branches never win."""
    assert after(Rollout(), {"rollout": [0.1, 0.3, -0.2]}) == pytest.approx([1 / 6, 4 / 6, 1 / 6])
    assert after(Rollout(exploration=0.0), {"rollout": [0.1, 0.3, NAN]}) == pytest.approx([0, 1, 0])
    assert after(Rollout(exploration=0.1), {"rollout": [0.3, 0.3, 0.1]}) == pytest.approx([29 / 60, 29 / 60, 2 / 60])
    worse = [{"rollout": [0.3, 0.1, 0.1]}, {"rollout": [-0.3, -0.1, NAN]}]
    assert after(Rollout(), *worse) == pytest.approx([1 / 3] * 3)
    broken = [{"rollout": [0.3, 0.1, 0.1]}, {"rollout": [NAN] * 3}]
    assert after(Rollout(), *broken) == pytest.approx([4 / 6, 1 / 6, 1 / 6])
    # The unit is the mean size, .2, halved by the temperature: (.1, .3, -.2) / .1
    soft = after(Rollout(exploration=0.0, temperature=0.5), {"rollout": [0.1, 0.3, -0.2]})
    assert soft == pytest.approx(softmax([1.0, 3.0, -2.0]))
