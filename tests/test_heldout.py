"""Who may read which held-out windows: whatever the sizes, no reader meets what the report scores, or it is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.heldout import HeldOut
from curriculum_rl.pretraining import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.tasks import Task
from curriculum_rl.text.corpora import Corpus

T = 16


def rows_of(batch: Batch, first: int = 0, count: int | None = None) -> list[list[int]]:
    last = None if count is None else first + count
    return [row for one in batch.input_ids[:, first:last].tolist() for row in one]


@given(
    windows=st.integers(1, 90),
    reported=st.integers(0, 70),
    rows=st.integers(1, 8),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_unseen_windows_are_never_reported_ones(
    experiment: Experiment, windows: int, reported: int, rows: int, seeds: list[int]
) -> None:
    """With 40 or 60 windows for 64 reported and 4 others, readers once met the report in all of theirs."""
    tokens = 300 + np.arange(windows * T + 1, dtype=np.uint16)  # every window another one
    part = Corpus("sea.heldout", tokens, "")
    task = experiment.problem.tasks[0]
    heldout = HeldOut({"sea": part}, experiment.problem.target.text["signal"], None, reported, T)
    if windows < reported + rows:
        message = f"signals.rows: {rows} held-out windows of sea .* {reported} that are reported; it has {windows}"
        with pytest.raises(ConfigError, match=message):
            heldout.require([task], rows, "signals.rows")
        return
    heldout.require([task], rows, "signals.rows")
    unseen = heldout.unseen([task], rows, seeds, "anybody")
    told = rows_of(heldout.report("sea", experiment.problem.modelling(True), seeds)) if reported else []
    for n, seed in enumerate(seeds):
        mine = rows_of(heldout.unseen([task], rows, [seed], "somebody else"))
        assert rows_of(unseen[n : n + 1]) == mine
        assert len({tuple(row) for row in mine}) == rows
    assert not {tuple(row) for row in rows_of(unseen[:1])} & {tuple(row) for row in told[:reported]}


def test_a_task_without_a_part_of_its_own(experiment: Experiment) -> None:
    """Of the target's own corpus the signal split is read, of a derived one its text, apart from what is trained on."""
    problem = experiment.problem
    heldout = replace(problem.heldout, reported=4)
    by_name = {task.name: task for task in problem.tasks}
    signal = problem.target.text["signal"]
    of_signal = signal.windows(np.arange(signal.size(T)), T)[:, :-1].tolist()
    assert all(row in of_signal for row in rows_of(heldout.unseen([by_name["star.causal_lm"]], 3, [5], "held out")))
    noise = by_name["noise.causal_lm"]
    of_noise = noise.corpus.windows(np.arange(noise.corpus.size(T)), T)[:, :-1].tolist()
    drawn = rows_of(heldout.unseen([noise], 3, [5], "held out"))
    assert all(row in of_noise for row in drawn)
    assert drawn != rows_of(Batch.stack([noise.batch(seed=5, first=0, rows=3, context=T)]))
    assert drawn != rows_of(heldout.unseen([noise], 3, [5], "another reader"))


def test_rows_stand_task_by_task(experiment: Experiment) -> None:
    problem = experiment.problem
    joined = problem.heldout.unseen(problem.tasks, 3, [5, 6], "held out")
    assert joined.input_ids.shape == (2, 15, T)
    for place, task in enumerate(problem.tasks):
        alone = problem.heldout.unseen([task], 3, [5, 6], "held out")
        assert rows_of(joined, 3 * place, 3) == rows_of(alone)
    for place, name in ((0, "sea"), (1, "land")):
        part = problem.heldout.corpora[name]
        inside = part.windows(np.arange(part.size(T)), T)[:, :-1].tolist()
        assert all(row in inside for row in rows_of(joined, 3 * place, 3))


@pytest.mark.parametrize("signal", ["heldout_loss", "transfer"])
def test_a_short_part_is_refused_before_anything_runs(tiny: dict[str, Any], signal: str) -> None:
    part = build(configs.load(tiny)).problem.heldout.corpora["sea"].size(T)
    run = Pretraining(build(configs.load(tiny, {"report.task_sequences": part - 3})))
    message = rf"signals\.rows: 4 held-out windows of sea .* behind {part - 3} that are reported; it has {part}"
    with pytest.raises(ConfigError, match=message):
        run.request_signals([signal])
    run.request_signals(["look_ahead"])


def test_the_report_takes_what_there_is(experiment: Experiment) -> None:
    heldout = replace(experiment.problem.heldout, reported=10_000)
    objective = experiment.problem.modelling(True)
    size = heldout.corpora["sea"].size(T)
    assert heldout.report("sea", objective, [1, 2]).input_ids.shape == (2, size, T)
    whole = Task("heldout sea", heldout.corpora["sea"], objective).batch(seed=1, first=0, rows=size, context=T)
    assert heldout.report("sea", objective, [1]).input_ids[0].tolist() == whole.input_ids.tolist()
