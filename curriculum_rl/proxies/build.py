"""Makes the proxy that an environment file names."""

from collections.abc import Sequence

from curriculum_rl.learners.base import Learner
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Proxy, Refreshed
from curriculum_rl.schema import Custom, ProxyConfig
from curriculum_rl.schema.proxies import RefreshedProxy


def make_proxy(section: ProxyConfig, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Proxy:
    """The proxy of a run; every replica's windows are drawn by its seed.

    A class of the user's own is called with `problem`, `learner`, `seeds` and the section's other keys.

    Raises:
        ConfigError: where the target has no labels and the proxy needs them, or there is too little text.
    """
    if isinstance(section, Custom):
        own: Proxy = custom(section, Proxy, "proxy", problem=problem, learner=learner, seeds=seeds)
        return own
    made: Proxy = built_in(section).build(section, problem, learner, seeds)
    return Refreshed(made, section.every) if isinstance(section, RefreshedProxy) else made
