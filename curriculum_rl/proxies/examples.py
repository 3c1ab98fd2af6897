"""Rows of labelled examples.

Shape letters: N replicas, R examples, T tokens.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.objectives import Classification, Tagging, windows_of
from curriculum_rl.problem import Problem
from curriculum_rl.tasks import Task
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus
from curriculum_rl.text.targets import Split


def labelled_batch(
    corpus: LabelledCorpus | TaggedCorpus,
    index: npt.NDArray[np.int64],
    objective: Classification | Tagging,
    context: int,
) -> Batch:
    """The rows of (N, R) examples as an (N, R, T) batch."""
    keys = np.zeros(index.size, dtype=np.uint64)
    rows = objective(windows_of(objective, corpus, index.ravel(), context=context, keys=keys), keys)
    shape = (*index.shape, context)
    return Batch(
        torch.from_numpy(rows.input_ids.reshape(shape)),
        torch.from_numpy(rows.targets.reshape(shape)),
        torch.from_numpy(rows.weights.reshape(shape)),
        torch.full(index.shape, objective.causal),
    )


def without_labels(batch: Batch, pad_id: int) -> Batch:
    """The same rows with padding in place of the label: rows that are read left to right show it behind its place.

    Losses do not see it there, as it comes after the position that is asked; whatever reads all tokens of a row does.
    """
    label = batch.weights.roll(1, dims=-1) != 0
    label[..., 0] = False
    return replace(batch, input_ids=torch.where(label, pad_id, batch.input_ids))


def examples(
    problem: Problem,
    learner: Learner,
    split: Split,
    count: int,
    seeds: Sequence[int],
    length: int | None = None,
) -> tuple[Batch, torch.Tensor]:
    """(N, R, T) up to `count` examples of a split without labels, drawn by the seeds, and their (N, R) classes."""
    corpus = problem.target.labelled[split]
    context = min(length or problem.context, problem.context)
    objective = Classification(problem.tokenizer, causal=learner.causal_rows)
    task = Task("target probe", corpus, objective)
    rows = min(count, corpus.size(context))
    index = np.stack([task.draw(seed=seed, first=0, rows=rows, context=context) for seed in seeds])
    batch = labelled_batch(corpus, index, objective, context)
    return without_labels(batch, problem.tokenizer.pad_id), torch.from_numpy(corpus.labels[index])
