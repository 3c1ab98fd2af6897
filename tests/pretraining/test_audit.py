"""An audit of the tiny environment: what it says of prices is what a run's ledger charges."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.audit import MOST, audit
from curriculum_rl.pretraining.prices import READINGS, RETURN, price_of_signal
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import SIGNALS


def test_a_near_text_gains_and_texts_that_are_alike_do_not(tiny: dict[str, Any], experiment: Experiment) -> None:
    found = audit(experiment)
    assert list(found.priors) == ["em", "js"] and found.updates == 20
    em = found.priors["em"]
    assert np.array_equal(em.shares, experiment.problem.prior)  # type: ignore[arg-type]
    assert 1 <= em.effective < 1.2 and not em.gain.alike
    # The worlds have no word in common: what others have is only in the way of rare pairs.
    assert 4 * em.gain.counted.error < em.gain.counted.nats < 0.1
    land = {**tiny["corpora"], "sea": tiny["corpora"]["land"]}
    alike = {name: land[name] for name in ("sea", "land")}
    changed = {**tiny, "corpora": alike, "tasks": [{"objective": "causal_lm"}]}
    target = {"corpus": {"paths": tiny["corpora"]["star"]["paths"]}, "prior": "js"}
    other = audit(build(configs.load({**changed, "target": target, "report": {"sequences": 16, "task_sequences": 4}})))
    assert list(other.priors) == ["js", "em"]
    for one in other.priors.values():  # two names of one text are one
        assert one.gain.alike and one.gain.counted.nats == 0 and one.effective == pytest.approx(1)


def test_passes_are_those_of_the_rows_of_a_run(experiment: Experiment) -> None:
    found = audit(experiment).passes
    assert list(found) == ["sea", "land", "star", "noise"]
    windows = dict(
        zip((task.corpus.name for task in experiment.problem.tasks), experiment.problem.windows, strict=True)
    )
    even = {name: passes * windows[name] for name, (passes, _) in found.items()}
    assert even == pytest.approx({"sea": 20, "land": 20, "star": 40, "noise": 20})  # star has two tasks
    weighed = {name: passes * windows[name] for name, (_, passes) in found.items()}
    assert sum(weighed.values()) == pytest.approx(100) and weighed["star"] > 90


@pytest.mark.parametrize(("every", "name"), [(1, "duel"), (2, "look_ahead"), (1, "ghost")])
def test_a_price_is_what_a_run_is_charged(tiny: dict[str, Any], every: int, name: str) -> None:
    made = build(configs.load(tiny, {"budget.updates": 120, "signals.every": every, "segment.updates": 4}))
    run = Pretraining(made, charge_proxy=False, downstream=False)
    run.request_signals([name])
    run.begin([0])
    while run.next_updates():
        run.segment(np.full((1, 5), 0.2))
    charged = run.ledger.flops["signal"] + run.ledger.flops["lookahead"]
    price = price_of_signal(run, name)
    assert charged / run.ledger.charged == pytest.approx(price.share, rel=0.15)
    assert price.needed == RETURN * price.share and price.reason == ""


def test_a_signal_that_cannot_be_measured_says_why(tiny: dict[str, Any]) -> None:
    made = build(configs.load(tiny, {"signals.rows": 1000}))
    found = audit(made).signals
    assert found.keys() == SIGNALS.keys()
    assert "signals.rows" in found["heldout_loss"].reason and np.isnan(found["heldout_loss"].share)
    assert found["duel"].reason == ""


def test_the_noise_of_the_proxy_falls_with_its_windows(tiny: dict[str, Any]) -> None:
    noise = []
    for sequences in (2, 32):
        made = build(configs.load(tiny, {"proxy.sequences": sequences, "budget.updates": 4000}))
        proxy = audit(made).proxy
        assert proxy.readings == READINGS
        noise.append(proxy.noise)
    assert 1.5 < noise[0] / noise[1] < 12  # 4 in expectation


def test_an_audit_costs_a_part_of_a_run(tiny: dict[str, Any]) -> None:
    made = build(configs.load(tiny, {"budget.updates": 4000}))
    found = audit(made)
    assert 0 < found.flops < MOST * found.budget
    poor = audit(build(configs.load(tiny, {"proxy.sequences": 50, "budget.updates": 40})))
    assert poor.proxy.readings == 0 and np.isnan(poor.proxy.noise)
