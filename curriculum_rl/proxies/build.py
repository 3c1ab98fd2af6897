"""Makes the proxy that an environment file names, and draws what it scores.

Shape letters: N replicas, K tasks, R examples, T tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch

from curriculum_rl import schema
from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner
from curriculum_rl.objectives import Classification
from curriculum_rl.plugins import custom
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Proxy, Refreshed
from curriculum_rl.proxies.few_shot import few_shot
from curriculum_rl.proxies.finetune import FineTune, labelled_batch, without_labels
from curriculum_rl.proxies.head import Head
from curriculum_rl.proxies.heldout import HeldOutLoss
from curriculum_rl.proxies.heldout_tasks import HeldOutTasks
from curriculum_rl.proxies.probe import Probe
from curriculum_rl.tasks import Task
from curriculum_rl.text.targets import Split


def make_proxy(section: schema.ProxyConfig, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Proxy:
    """The proxy of a run; every replica's windows are drawn by its seed.

    A class of the user's own is called with `problem`, `learner`, `seeds` and the section's other keys.

    Raises:
        ConfigError: where the target has no labels and the proxy needs them, or there is too little text.
    """
    match section:
        case schema.HeldOutLossProxy() as proxy:
            return HeldOutLoss(problem.target_windows("reward", proxy.sequences, seeds, causal=learner.causal_rows))
        case schema.FineTuneProxy() as proxy:
            return Refreshed(FineTune(few_shot(problem, learner, "reward", proxy, seeds)), proxy.every)
        case schema.ProbeProxy() as proxy:
            problem.target.require_labels("probe")
            rows, classes = _examples(problem, learner, "reward", proxy.examples, seeds)
            return Refreshed(Probe(rows, classes, proxy.ridge), proxy.every)
        case schema.HeadProxy() as proxy:
            return Refreshed(light_head(problem, learner, "reward", proxy, seeds), proxy.every)
        case schema.HeldOutTasksProxy() as proxy:
            problem.heldout.require(problem.tasks, proxy.sequences, "proxy.sequences")
            unseen = problem.heldout.unseen(problem.tasks, proxy.sequences, seeds, "held-out tasks")
            return HeldOutTasks(unseen, tasks=len(problem.tasks), counted=proxy.tasks)
        case schema.Custom() as proxy:
            made: Proxy = custom(proxy, problem=problem, learner=learner, seeds=seeds)
            return made


def light_head(
    problem: Problem, learner: Learner, split: Split, settings: schema.HeadProxy, seeds: Sequence[int]
) -> Head:
    """A head fitted on examples of the signal split and scored on those of another.

    Raises:
        ConfigError: where the target has no labels.
    """
    problem.target.require_labels("head")
    length = settings.length
    support, support_classes = _examples(problem, learner, "signal", settings.examples, seeds, length)
    query, query_classes = _examples(problem, learner, split, settings.test_examples, seeds, length)
    return Head(
        support=support,
        support_classes=support_classes,
        query=query,
        query_classes=query_classes,
        classes=len(problem.target.labelled["signal"].classes),
        steps=settings.steps,
        ridge=settings.ridge,
    )


def _examples(
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
