"""Makes the proxy that an environment file names, and draws what it scores.

Shape letters: N replicas, K tasks, R examples, T tokens.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.objectives import Classification
from curriculum_rl.plugins import custom
from curriculum_rl.proxies.base import Proxy, Refreshed
from curriculum_rl.proxies.finetune import FineTune, labelled_batch, without_labels
from curriculum_rl.proxies.head import Head
from curriculum_rl.proxies.heldout import HeldOutLoss
from curriculum_rl.proxies.heldout_tasks import HeldOutTasks
from curriculum_rl.proxies.probe import Probe
from curriculum_rl.schema import Custom
from curriculum_rl.schema.proxies import FineTuneProxy, HeadProxy, HeldOutLossProxy, HeldOutTasksProxy, ProbeProxy
from curriculum_rl.tasks import Task
from curriculum_rl.text.targets import Split

if TYPE_CHECKING:
    from curriculum_rl.experiment import Experiment


def make_proxy(experiment: "Experiment", learner: Learner, seeds: Sequence[int]) -> Proxy:
    """The proxy of a run; every replica's windows are drawn by its seed.

    Raises:
        ConfigError: where the target has no labels and the proxy needs them, or there is too little text.
    """
    match experiment.config.proxy:
        case HeldOutLossProxy() as proxy:
            return HeldOutLoss(experiment.target_windows(learner, "reward", proxy.sequences, seeds))
        case FineTuneProxy() as proxy:
            return Refreshed(FineTune(experiment.few_shot(learner, "reward", proxy, seeds)), proxy.every)
        case ProbeProxy() as proxy:
            experiment.require_labels("probe")
            rows, classes = _examples(experiment, learner, "reward", proxy.examples, seeds)
            return Refreshed(Probe(rows, classes, proxy.ridge), proxy.every)
        case HeadProxy() as proxy:
            return Refreshed(light_head(experiment, learner, "reward", proxy, seeds), proxy.every)
        case HeldOutTasksProxy() as proxy:
            unseen = heldout_rows(experiment, proxy.sequences, seeds)
            return HeldOutTasks(unseen, tasks=len(experiment.tasks), counted=proxy.tasks)
        case proxy:
            assert isinstance(proxy, Custom)
            made: Proxy = custom(proxy, experiment=experiment, learner=learner, seeds=seeds)
            return made


def heldout_rows(experiment: "Experiment", count: int, seeds: Sequence[int]) -> Batch:
    """(N, K count, T) rows of the held-out part of every task, task by task, behind those that are reported.

    A task whose corpus is labelled, or derived from another one, has no such part: its rows are drawn apart from those
    that are trained on, from the same text. That of the target's own corpus is the signal split.

    Raises:
        ConfigError: where a held-out part is too short.
    """
    return _stacked([_joined([_unseen(experiment, task, count, seed) for task in experiment.tasks]) for seed in seeds])


def _unseen(experiment: "Experiment", task: Task, count: int, seed: int) -> Batch:
    name, context = task.corpus.name, experiment.config.context
    text = experiment.heldout.get(name)
    if task.objective.labelled or text is None:
        return task.batch(seed=key(seed, "held-out tasks"), first=0, rows=count, context=context)
    # The report draws from the front of the same permutation.
    first = experiment.config.report.task_sequences
    if name == experiment.config.target.corpus:
        text, first = experiment.target.text["signal"], 0
    if text.size(context) < first + count:
        raise ConfigError(
            f"sequences: {count} held-out windows of {name} were asked for, behind {first} that are reported; "
            f"it has {text.size(context)}"
        )
    return Task(f"heldout {name}", text, task.objective).batch(seed=seed, first=first, rows=count, context=context)


def light_head(
    experiment: "Experiment", learner: Learner, split: Split, settings: HeadProxy, seeds: Sequence[int]
) -> Head:
    """A head fitted on examples of the signal split and scored on those of another.

    Raises:
        ConfigError: where the target has no labels.
    """
    experiment.require_labels("head")
    length = settings.length
    support, support_classes = _examples(experiment, learner, "signal", settings.examples, seeds, length)
    query, query_classes = _examples(experiment, learner, split, settings.test_examples, seeds, length)
    return Head(
        support=support,
        support_classes=support_classes,
        query=query,
        query_classes=query_classes,
        classes=len(experiment.target.labelled["signal"].classes),
        steps=settings.steps,
        ridge=settings.ridge,
    )


def _examples(
    experiment: "Experiment",
    learner: Learner,
    split: Split,
    count: int,
    seeds: Sequence[int],
    length: int | None = None,
) -> tuple[Batch, torch.Tensor]:
    """(N, R, T) up to `count` examples of a split without labels, drawn by the seeds, and their (N, R) classes."""
    corpus = experiment.target.labelled[split]
    context = min(length or experiment.config.context, experiment.config.context)
    objective = Classification(experiment.tokenizer, causal=learner.causal_rows)
    task = Task("target probe", corpus, objective)
    rows = min(count, corpus.size(context))
    index = np.stack([task.draw(seed=seed, first=0, rows=rows, context=context) for seed in seeds])
    batch = labelled_batch(corpus, index, objective, context)
    return without_labels(batch, experiment.tokenizer.pad_id), torch.from_numpy(corpus.labels[index])


def _joined(parts: Sequence[Batch]) -> Batch:
    return Batch(*(torch.cat(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))


def _stacked(parts: Sequence[Batch]) -> Batch:
    return Batch(*(torch.stack(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))
