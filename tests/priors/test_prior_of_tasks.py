"""A share for every task: texts are weighed, tasks on one text divide its weight, other objectives get their worth."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.experiment import build
from curriculum_rl.priors import tasks
from curriculum_rl.problem import Problem
from curriculum_rl.schema import load as configs
from curriculum_rl.text.cache import Cache


def problem(config: dict[str, Any], **changes: Any) -> Problem:
    return build(configs.load(config, changes)).problem


def share(made: Problem) -> dict[str, float]:
    assert made.prior is not None
    return dict(zip((task.name for task in made.tasks), made.prior.tolist(), strict=True))


@pytest.mark.parametrize("name", ["em", "js"])
def test_the_nearest_text_has_the_largest_share(tiny: dict[str, Any], name: str) -> None:
    made = problem(tiny, **{"target.prior": name, "tasks": [{"corpora": "all", "objective": "causal_lm"}]})
    assert made.prior is not None
    assert made.prior.sum() == pytest.approx(1) and (made.prior >= 0).all()
    assert made.prior.argmax() == made.divergence.argmin()


def test_without_a_prior_nothing_is_said(tiny: dict[str, Any]) -> None:
    made = problem(tiny, **{"target.prior": "none"})
    assert made.prior is None and "prior" not in made.task_info
    assert "prior" in problem(tiny).task_info


def test_a_task_under_another_objective_has_its_discount(tiny: dict[str, Any], monkeypatch, tmp_path) -> None:
    both = [{"corpora": "all", "objective": "causal_lm"}, {"corpora": "all", "objective": "masked_lm"}]
    alone = share(problem(tiny, tasks=both[:1]))
    found = share(problem(tiny, tasks=both))
    assert {name: found[name] for name in alone} == pytest.approx(alone)
    assert all(value == 0 for name, value in found.items() if name.endswith("masked_lm"))
    monkeypatch.setattr(tasks, "DISCOUNTS", {"masked_lm": 0.25})
    discounted = share(problem(tiny, tasks=both))
    for name, value in alone.items():
        assert discounted[name] == pytest.approx(0.8 * value)
        assert discounted[name.replace("causal_lm", "masked_lm")] == pytest.approx(0.2 * value)


def test_where_no_task_has_the_targets_objective_all_count(tiny: dict[str, Any]) -> None:
    found = share(problem(tiny, tasks=[{"corpora": "all", "objective": "masked_lm"}]))
    alone = share(problem(tiny, tasks=[{"corpora": "all", "objective": "causal_lm"}]))
    assert list(found.values()) == pytest.approx(list(alone.values()))


def test_the_task_on_the_signal_split_has_no_share(tiny: dict[str, Any]) -> None:
    plain, trained = problem(tiny), problem(tiny, **{"target.train": True})
    assert plain.prior is not None and trained.prior is not None
    assert trained.prior[-1] == 0 and trained.prior[:-1] == pytest.approx(plain.prior)


def test_one_text_under_two_names_has_one_weight(tiny: dict[str, Any]) -> None:
    """A depth is another task on the same text."""
    plain = share(problem(tiny, tasks=[{"corpora": "all", "objective": "causal_lm"}]))
    first, *_ = plain
    name = first.split(".")[0]
    twice = tiny["corpora"] | {"again": tiny["corpora"][name]}
    found = share(problem({**tiny, "corpora": twice}, tasks=[{"corpora": "all", "objective": "causal_lm"}]))
    assert found[first] == pytest.approx(plain[first] / 2, abs=0.02)
    assert found["again.causal_lm"] == pytest.approx(found[first])


def test_weights_are_kept_and_found_again(tiny: dict[str, Any], monkeypatch, tmp_path) -> None:
    made = build(configs.load(tiny), Cache(tmp_path)).problem
    monkeypatch.setattr(tasks, "em_of_texts", lambda *_: pytest.fail("weighed again"))
    again = build(configs.load(tiny), Cache(tmp_path)).problem
    assert np.array_equal(made.prior, again.prior)  # type: ignore[arg-type]
