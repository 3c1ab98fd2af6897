"""The learner that an environment file describes."""

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.schema import Custom, EnvConfig
from curriculum_rl.text.tokenizers import Tokenizer


def make_learner(config: EnvConfig, tokenizer: Tokenizer, *, replicas: int) -> Learner:
    """N learners as the environment says, not yet reset.

    Raises:
        ConfigError: for fewer than one replica, what the device cannot do or has no memory for, or a model that cannot
            be made.
    """
    if replicas < 1:
        raise ConfigError(f"replicas (num_envs): at least 1 learner is needed, not {replicas}")
    section = config.learner
    if isinstance(section, Custom):
        own: Learner = custom(
            section, tokenizer=tokenizer, config=config, optimizer=config.optimizer, replicas=replicas
        )
        _check_custom(own)
        return own
    made: Learner = built_in(section).build(section, config, tokenizer, replicas=replicas)
    return made


def _check_custom(learner: Learner) -> None:
    """A user's learner has all that is asked of one."""
    asked = {*Learner.__annotations__, *(name for name in vars(Learner) if not name.startswith("_"))}
    missing = sorted(name for name in asked if not hasattr(learner, name))
    if missing:
        raise ConfigError(f"learner: {type(learner).__name__} lacks {', '.join(missing)} (learners.base.Learner)")
