"""The method that an environment file describes."""

from collections.abc import Sequence

import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.inner import require_inner
from curriculum_rl.learners.native.weighted import require_weighted
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.methods.base import Method, Multitask
from curriculum_rl.methods.end_task_aware import EndTaskAware
from curriculum_rl.methods.meta_train import MetaTrain
from curriculum_rl.methods.priming import Priming
from curriculum_rl.plugins import custom
from curriculum_rl.schema import Custom, MethodConfig
from curriculum_rl.schema.methods import MetaTrainMethod, PrimingMethod, TartanMethod
from curriculum_rl.tasks import Task
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus


def make_method(config: MethodConfig, tasks: Sequence[Task], learner: Learner) -> Method:
    """The method of a run.

    Args:
        config: the section of the environment file.
        tasks: some of them have a depth of their own.
        learner: what is trained.

    Raises:
        ConfigError: where the learner cannot do it.
    """
    match config:
        case MetaTrainMethod():
            require_inner(learner, config.order)
            depths = tuple(config.depth if task.depth is None else task.depth for task in tasks)
            return MetaTrain(depths, config.rate, config.order, config.same_task)
        case PrimingMethod():
            require_light(learner, "method.kind: priming")
            require_inner(learner, config.order)
            return Priming(
                _labels(tasks), config.steps, config.rate, config.inner, config.order, initial=config.initial
            )
        case TartanMethod():
            require_weighted(learner)
            return EndTaskAware(len(tasks))
        case Custom():
            own: Method = custom(config, tasks=tasks, learner=learner)
            return own
        case _:
            return Multitask()


def _labels(tasks: Sequence[Task]) -> torch.Tensor:
    """The label tokens of all tasks.

    Raises:
        ConfigError: for a task without.
    """
    found: set[int] = set()
    for task in tasks:
        if not isinstance(task.corpus, LabelledCorpus | TaggedCorpus):
            raise ConfigError(f"tasks: method.kind 'priming' needs labels, and {task.name} has none")
        first = task.objective.first  # type: ignore[attr-defined]
        labels = task.objective.tokenizer.label_ids  # type: ignore[attr-defined]
        found.update(labels[first : first + len(task.corpus.classes)])
    return torch.tensor(sorted(found))
