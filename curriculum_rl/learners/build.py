"""The learner that an environment file describes."""

from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.base import Learner
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.problem import Problem
from curriculum_rl.schema import Custom, EnvConfig
from curriculum_rl.text.tokenizers import Tokenizer


def make_learner(config: EnvConfig, problem: Problem, *, replicas: int = 1) -> Learner:
    """N learners as the environment says, not yet reset.

    Raises:
        ConfigError: for fewer than one replica, what the device cannot do or has no memory for, a model that cannot be
            made, or one that cannot do a task's objective.
    """
    learner = learner_of(config, problem.tokenizer, replicas=replicas)
    for task in problem.tasks:
        if not (learner.causal_rows if task.objective.causal else learner.bidirectional_rows):
            way = "left to right" if task.objective.causal else "in both directions"
            raise ConfigError(f"tasks: {task.name} needs a learner that reads {way}; learner.head says otherwise")
    return learner


def learner_of(config: EnvConfig, tokenizer: Tokenizer, *, replicas: int = 1) -> Learner:
    """The same for whatever tasks."""
    if replicas < 1:
        raise wrong("replicas (num_envs)", replicas, "at least 1")
    section = config.learner
    if isinstance(section, Custom):
        given = {"tokenizer": tokenizer, "config": config, "optimizer": config.optimizer, "replicas": replicas}
        own: Learner = custom(section, Learner, "learner", **given)
        return own
    made: Learner = built_in(section).build(section, config, tokenizer, replicas=replicas)
    return made
