"""Makes the method that an environment file names."""

from collections.abc import Sequence

from curriculum_rl.learners.base import Learner
from curriculum_rl.methods.base import Method
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.schema import Custom, MethodConfig
from curriculum_rl.tasks import Task


def make_method(section: MethodConfig, tasks: Sequence[Task], learner: Learner) -> Method:
    """The method of a run.

    A class of the user's own is called with `tasks`, `learner` and the section's other keys.

    Args:
        section: of the environment file.
        tasks: some of them have a depth of their own.
        learner: what is trained.

    Raises:
        ConfigError: where the learner cannot do it.
    """
    if isinstance(section, Custom):
        own: Method = custom(section, Method, "method", tasks=tasks, learner=learner)
        return own
    made: Method = built_in(section).build(section, tasks, learner)
    return made
