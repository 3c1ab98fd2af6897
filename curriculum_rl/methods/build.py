"""The method that an environment file describes."""

from collections.abc import Sequence

from curriculum_rl import schema
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.inner import require_inner
from curriculum_rl.methods.base import Method, Multitask
from curriculum_rl.methods.meta_train import MetaTrain
from curriculum_rl.tasks import Task


def make_method(config: schema.MethodConfig, tasks: Sequence[Task], learner: Learner) -> Method:
    """The method of a run.

    Args:
        config: the section of the environment file.
        tasks: some of them have a depth of their own.
        learner: what is trained.

    Raises:
        ConfigError: where the learner cannot do it.
    """
    match config:
        case schema.MetaTrainMethod():
            require_inner(learner, config.order)
            depths = tuple(config.depth if task.depth is None else task.depth for task in tasks)
            return MetaTrain(depths, config.rate, config.order, config.same_task)
        case schema.MultitaskMethod():
            return Multitask()
