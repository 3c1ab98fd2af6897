"""Mixers that read losses or gains: steps against numbers written out."""

import numpy as np
import pytest
from made_feedback import feedback, softmax

from curriculum_rl.agents.mixers import power_law
from curriculum_rl.agents.mixers.ado import ADO
from curriculum_rl.agents.mixers.doremi import DoReMi
from curriculum_rl.agents.mixers.odm import ODM
from curriculum_rl.agents.mixers.odm_released import ODMReleased
from curriculum_rl.agents.mixers.regmix import RegMix
from curriculum_rl.agents.mixers.rule import Feedback

ENDED = np.ones(1, bool)


def test_odm_by_hand():
    """K = 2: R = (.1 * 1 / .5, .1 * 3 / .5) after one segment; at t = 2 the even share is sqrt(2 ln 2 / 2)."""
    rule = ODM(smoothing=0.9)
    state = rule.start(1, 2)
    rule.update(state, feedback(losses=[1.0, 3.0]))
    assert state["rewards"][0] == pytest.approx([0.2, 0.6])
    even = np.sqrt(2 * np.log(2) / 2)  # K eps_2, where eps_2 = .4163 is below 1/2
    before = 0.5  # eps_1 = min(1/2, sqrt(ln 2 / 2)) = 1/2
    expected = (1 - even) * softmax([before * 0.2, before * 0.6]) + even / 2
    assert rule.mixture(state)[0] == pytest.approx(expected)
    rule.update(state, feedback(losses=[2.0, np.nan], mixture=[1.0, 0.0]))
    assert state["rewards"][0] == pytest.approx([0.9 * 0.2 + 0.1 * 2, 0.6])


def test_odm_returns_to_even():
    """The published temperature falls while its rewards stay bounded: 22 tasks with losses from 1 to 3.5."""
    rule = ODM()
    state = rule.start(1, 22)
    ratios = {}
    for step in range(1, 10_001):
        rule.update(state, feedback(losses=np.linspace(1.0, 3.5, 22), mixture=rule.mixture(state)[0]))
        if step in {67, 1000, 10_000}:
            mixture = rule.mixture(state)[0]
            ratios[step] = mixture.max() / mixture.min()
    assert ratios == pytest.approx({67: 1.0, 1000: 1.409, 10_000: 1.177}, abs=0.01)


def test_odm_released_is_linear_in_perplexity():
    rule = ODMReleased(smoothing=0.5)
    state = rule.start(1, 2)
    rule.update(state, feedback(losses=[0.0, np.log(3.0)]))
    rule.update(state, feedback(losses=[np.log(2.0), np.nan], mixture=[1.0, 0.0]))
    assert state["rewards"][0] == pytest.approx([0.5 * 0.5 + 0.5 * 2, 1.5])
    even = np.sqrt(2 * np.log(2) / 3)
    assert rule.mixture(state)[0] == pytest.approx((1 - even) * np.array([1.25, 1.5]) / 2.75 + even / 2)


def test_doremi_goes_through_its_stages():
    rule = DoReMi(step=1.0, smoothing=0.1)
    state = rule.start(1, 2)
    for losses in ([9.0, 9.0], [2.0, 3.0], [np.nan, 2.5]):
        rule.update(state, feedback({"heldout_loss": losses}))
        assert rule.mixture(state)[0].tolist() == [0.5, 0.5]
    rule.next_run(state, ENDED)
    assert state["reference"][0].tolist() == [2.0, 2.5]
    rule.update(state, feedback({"heldout_loss": [2.5, 2.0]}))  # excess .5 and, clipped, 0
    first = 0.9 * softmax([0.5, 0.0]) + 0.05
    assert rule.mixture(state)[0] == pytest.approx(first)
    rule.update(state, feedback({"heldout_loss": [np.nan, 3.5]}))  # the first task's excess stands
    second = 0.9 * softmax(np.log(first) + np.array([0.5, 1.0])) + 0.05
    assert rule.mixture(state)[0] == pytest.approx(second)
    rule.next_run(state, ENDED)
    for _ in range(2):
        assert rule.mixture(state)[0] == pytest.approx((first + second) / 2)
        rule.update(state, feedback({"heldout_loss": [9.0, 0.0]}))
        rule.next_run(state, ENDED)


def test_doremi_does_not_count_a_run_without_measurements():
    rule = DoReMi()
    state = rule.start(1, 2)
    rule.next_run(state, ENDED)
    rule.update(state, feedback({"heldout_loss": [np.nan, np.nan]}))
    rule.next_run(state, ENDED)
    assert state["stage"].tolist() == [0]


def test_power_law_finds_its_own():
    """Exact points of laws on the grid, of a level of 0, and of a loss that rises (no law: the scale is 0)."""
    rows = np.linspace(0.5, 40, 30)
    laws = np.array([[[2.0, 1.5, 0.5], [0.0, 4.0, 0.1]]])
    sums = power_law.start(1, 3)
    for n in rows:
        values = [*(laws[0, :, 0] + laws[0, :, 1] * n ** -laws[0, :, 2]), 1 + n]
        power_law.add(sums, np.full((1, 3), n), np.array([values]), np.ones((1, 3), bool))
    level, scale, exponent, enough = power_law.fit(sums)
    assert enough.all()
    for k in range(2):
        assert [level[0, k], scale[0, k], exponent[0, k]] == pytest.approx(laws[0, k], rel=1e-6, abs=1e-6)
    assert scale[0, 2] == 0 and level[0, 2] == pytest.approx(1 + rows.mean())


def test_power_law_is_no_worse_than_a_search():
    """Against a fine grid over level and scale, for points that obey no law."""
    random = np.random.default_rng(0)
    rows, losses = np.linspace(1, 20, 12), 1 + random.random(12)
    sums = power_law.start(1, 1)
    for n, loss in zip(rows, losses, strict=True):
        power_law.add(sums, np.array([[n]]), np.array([[loss]]), np.ones((1, 1), bool))
    level, scale, exponent, _ = (values[0, 0] for values in power_law.fit(sums))
    found = ((level + scale * rows**-exponent - losses) ** 2).sum()
    levels, scales = np.meshgrid(np.linspace(0, 2, 81), np.linspace(0, 2, 81))
    for a in power_law.EXPONENTS:
        errors = (levels[..., None] + scales[..., None] * rows**-a - losses) ** 2
        assert found <= errors.sum(axis=-1).min() + 1e-12


def test_ado_by_hand():
    """Two tasks with equal shares and known laws: speeds a c n^-a / n, credit (1/2)^.5 for both."""
    rule = ADO(warmup=0.0)
    state = rule.start(1, 2)
    for segment in range(4):
        n = (segment + 0.5) / 2  # the middle of the segment's rows of each task
        rule.update(state, feedback(losses=[1 + 2 * n**-0.5, 3 + n**-0.2]))
        if segment < 3:
            assert rule.mixture(state)[0] == pytest.approx([0.5, 0.5])
    speeds = np.array([0.5 * 2 * 2**-1.5, 0.2 * 1 * 2**-1.2])
    rho = speeds / speeds.sum()
    assert rule.mixture(state)[0] == pytest.approx(0.9 * 0.5 + 0.1 * rho)
    assert state["mean"][0] == pytest.approx(0.5 + (rho - 0.5) / 5)
    assert state["recent"][0] == pytest.approx([0.5, 0.5])


def test_ado_credit_floor_and_warmup():
    rule = ADO(warmup=0.5, floor=0.2, credit=1.0, fresh=1.0, recent=1.0)
    state = rule.start(1, 2)
    for segment in range(12):
        n = np.array([0.9, 0.1]) * (segment + 0.5)
        told = feedback(losses=5 * n**-0.5, mixture=[0.9, 0.1], spent=segment / 11)
        rule.update(state, told)
        if segment < 9:
            assert rule.mixture(state)[0] == pytest.approx([0.5, 0.5])
    # At equal laws speed goes as n^-1.5, times the share: (.9^-.5, .1^-.5), of which nothing is below .2.
    weights = np.array([0.9, 0.1]) ** -0.5
    assert rule.mixture(state)[0] == pytest.approx(weights / weights.sum())
    rule = ADO(warmup=0.0, floor=0.4, fresh=1.0)
    state = rule.start(1, 2)
    for segment in range(5):
        rule.update(state, feedback(losses=[9 * (segment + 0.5) ** -0.5, 3.0]))
    assert rule.mixture(state)[0] == pytest.approx([1 / 1.4, 0.4 / 1.4])


def played(rule, state, score):
    """One run of every row in two segments whose gains add up to the score of its mixture; one gain is missing."""
    gains = score(rule.mixture(state))
    arms = state["mixture"].shape[1]
    for part in (gains / 2, np.full(len(gains), np.nan), gains / 2):
        absent = np.full((len(gains), arms), np.nan)
        rule.update(state, Feedback({}, absent, rule.mixture(state), rule.mixture(state), part, np.ones(len(gains))))
    rule.next_run(state, np.ones(len(gains), bool))


def test_regmix_finds_the_corner_of_a_linear_score():
    rule = RegMix(runs=20, law="ridge", candidates=5000, best=10)
    state = rule.start(4, 3)
    seen = []
    for run in range(5):
        assert not state["fitted"].any() and state["ended"].tolist() == [run] * 4
        seen.append(rule.mixture(state))
        played(rule, state, lambda mixture: mixture @ [0.3, 1.0, 0.2])
    assert len(np.unique(np.concatenate(seen).round(6), axis=0)) > 15  # rows and runs draw their own
    assert pytest.approx(np.concatenate(seen).reshape(5, 4, 3) @ [0.3, 1.0, 0.2]) == state["scores"][:, :5].T
    best = rule.mixture(state)
    assert (best == best[0]).all() and best[0, 1] > 0.95
    played(rule, state, lambda mixture: -mixture @ [0.3, 1.0, 0.2])
    assert np.array_equal(rule.mixture(state), best)


@pytest.mark.parametrize(("law", "gained"), [("trees", 0.6), ("ridge", 0.99)])
def test_regmix_finds_a_mixture_inside(law, gained):
    """The score sum c_k sqrt(p_k) is at most the norm of c, and lies in the span of the ridge."""
    rule = RegMix(runs=40, law=law)
    state = rule.start(8, 3)
    for _ in range(5):
        played(rule, state, lambda mixture: np.sqrt(mixture) @ [1.0, 2.0, 1.0])
    even, best = 4 / 3**0.5, 6**0.5
    assert gained < (np.sqrt(rule.mixture(state)[0]) @ [1.0, 2.0, 1.0] - even) / (best - even) <= 1


def test_regmix_warns_of_a_mixture_far_from_its_runs():
    """Runs lie near the corners of two tasks; by their roots the ridge likes what lies between."""
    rule = RegMix(runs=16, law="ridge")
    state = rule.start(1, 2)
    for run in range(16):
        state["mixture"][0] = np.abs([run % 2 - 0.005 * run, 1 - run % 2 - 0.005 * run])
        if run == 15:
            with pytest.warns(UserWarning, match="is farther from all 16 runs .* 90% interval -?[0-9.]+ to [0-9.]+$"):
                played(rule, state, lambda mixture: np.sqrt(mixture).sum(axis=1))
        else:
            played(rule, state, lambda mixture: np.sqrt(mixture).sum(axis=1))
    assert rule.mixture(state)[0] == pytest.approx([0.5, 0.5], abs=0.1)


@pytest.mark.filterwarnings("ignore:regmix")  # of two runs
def test_regmix_draws_by_its_seed_and_finishes_what_is_under_way():
    rule = RegMix(runs=2, law="ridge", candidates=100, best=5)
    state = rule.start(2, 3)
    assert np.array_equal(rule.mixture(state), rule.mixture(rule.start(2, 3)))
    assert not np.array_equal(rule.mixture(state), RegMix(draw_seed=1).mixture(RegMix(draw_seed=1).start(2, 3)))
    second = rule.mixture(state)[1]
    for gain in (1.0, 2.0):
        absent = np.full((2, 3), np.nan)
        rule.update(state, Feedback({}, absent, absent, absent, np.array([gain, 5.0]), np.ones(2)))
        rule.next_run(state, np.array([True, False]))
    assert state["fitted"].all() and np.array_equal(rule.mixture(state)[1], second)
    rule.next_run(state, np.array([False, True]))
    assert np.array_equal(rule.mixture(state)[1], rule.mixture(state)[0])
