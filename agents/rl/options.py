"""The options of agents with a network: what each means, in which unit, what it may be, and where it comes from.

Sources that no class cites: Kingma & Ba 2015 (Adam, arXiv:1412.6980), Lillicrap et al. 2016 (DDPG, arXiv:1509.02971),
Pascanu et al. 2013 (arXiv:1211.5063), Schulman et al. 2016 (advantages, arXiv:1506.02438), Sutton & Barto 2018
(Reinforcement learning, second edition).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from curriculum_rl.agents.rl.schedules import check_schedule
from curriculum_rl.agents.rule import check
from curriculum_rl.errors import ConfigError


@dataclass(frozen=True)
class Option:
    """One option, in all classes that have it.

    Attributes:
        meaning: in words, with its unit.
        source: of what it sets; papers are cited in full above or by the agents' classes.
        bounds: of a number, as `curriculum_rl.agents.rule.check` takes them; None: it is none.
        scheduled: whether it may also be a `LinearSchedule` over the share of the training that remains, 1 to 0.
    """

    meaning: str
    source: str = "stable-baselines3"
    bounds: Mapping[str, Any] | None = field(default_factory=dict)
    scheduled: bool = False


_COUNT = MappingProxyType({"least": 1, "whole": True})
_POSITIVE = MappingProxyType({"above": 0})
_NOT_NEGATIVE = MappingProxyType({"least": 0})
_SHARE = MappingProxyType({"least": 0, "most": 1})

# What all agents with a network have.
COMMON: Mapping[str, Any] = MappingProxyType(
    {"policy_kwargs": None, "tensorboard_log": None, "verbose": 0, "device": "cpu"}
)

OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "policy": Option("a network, by name or class; None: the one that reads the observations", bounds=None),
        "learning_rate": Option(
            "step size of the optimizer", "Kingma & Ba 2015, algorithm 1", _NOT_NEGATIVE, scheduled=True
        ),
        "n_steps": Option("segments of each replica in a rollout; None: by their number", bounds=_COUNT),
        "batch_size": Option("segments in a gradient step; None: 512, or the whole rollout", bounds=_COUNT),
        "n_epochs": Option("passes over a rollout", "Schulman et al. 2017, algorithm 1", _COUNT),
        "gamma": Option("discount of rewards, per segment", "Sutton & Barto 2018, section 3.3", _SHARE),
        "gae_lambda": Option("decay of the advantages' sum, per segment", "Schulman et al. 2016, equation 16", _SHARE),
        "clip_range": Option(
            "how far a probability ratio may be from 1", "Schulman et al. 2017, equation 7", _POSITIVE, scheduled=True
        ),
        "ent_coef": Option(
            "weight of the policy's entropy; 'auto_X' (sac) fits it to `target_entropy`, starting at X",
            "Mnih et al. 2016; Haarnoja et al. 2018, section 5",
            _NOT_NEGATIVE,
        ),
        "vf_coef": Option("weight of the value's squared error", "Schulman et al. 2017, equation 9", _NOT_NEGATIVE),
        "max_grad_norm": Option("norm that gradients are clipped to", "Pascanu et al. 2013, algorithm 1", _POSITIVE),
        "use_rms_prop": Option("RMSprop instead of Adam", "Mnih et al. 2016"),
        "normalize_advantage": Option("advantages of a rollout get mean 0 and standard deviation 1"),
        "buffer_size": Option("segments that the replay buffer holds", "Mnih et al. 2015, algorithm 1", _COUNT),
        "learning_starts": Option(
            "segments of random actions before the first gradient step", "Mnih et al. 2015", {"least": 0, "whole": True}
        ),
        "tau": Option("share of the way that target networks go at once", "Lillicrap et al. 2016, algorithm 1", _SHARE),
        "train_freq": Option("steps of the env between gradient steps", "Mnih et al. 2015", _COUNT),
        "gradient_steps": Option(
            "gradient steps each time; -1: one per segment played; not 0", bounds={"least": -1, "whole": True}
        ),
        "target_update_interval": Option("segments between updates of the target network", "Mnih et al. 2015", _COUNT),
        "exploration_fraction": Option("share of the training in which epsilon falls", "Mnih et al. 2015", _SHARE),
        "exploration_initial_eps": Option("epsilon at the start, a share of picks", "Mnih et al. 2015", _SHARE),
        "exploration_final_eps": Option("epsilon after its fall", "Mnih et al. 2015", _SHARE),
        "target_entropy": Option("nats that `ent_coef` is fitted to; 'auto': -K", "Haarnoja et al. 2018, section 5"),
        "noise": Option(
            "standard deviation of training's noise; 1 is an even share", "Fujimoto et al. 2018", _NOT_NEGATIVE
        ),
        "policy_delay": Option(
            "gradient steps of the critics per one of the actor", "Fujimoto et al. 2018, section 5.2", _COUNT
        ),
        "target_policy_noise": Option(
            "standard deviation of noise in the target's actions", "Fujimoto et al. 2018, section 5.3", _NOT_NEGATIVE
        ),
        "target_noise_clip": Option(
            "its greatest size; both on actions in [-1, 1]", "Fujimoto et al. 2018, section 5.3", _NOT_NEGATIVE
        ),
        "smoothing": Option("weight of the past in the average of rewards", "the ODM script", {"least": 0, "below": 1}),
        "task_columns": Option("positions of a task's features that the policy looks at", "AC-ODM", None),
        "run_columns": Option("positions of the run's features that it looks at", "AC-ODM", None),
        "policy_kwargs": Option(
            "what the policy's constructor takes besides, a dict; classes by name, of a short list (below)", bounds=None
        ),
        "tensorboard_log": Option("folder of stable-baselines3's own scalars; None: none are written", bounds=None),
        "verbose": Option(
            "what stable-baselines3 prints: 0 nothing, 1 news, 2 details", bounds={"least": 0, "most": 2, "whole": True}
        ),
        "device": Option("where the network is: 'cpu' or another of torch's", bounds=None),
    }
)


def settings_of(agent: str, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of an agent's class, or what is given in their place.

    A value is what a number may be (`Option`; 1e4 becomes 10000 where a whole one is wanted), true or false where the
    default is, or of the default's kind where that is None or text.

    Args:
        agent: the name of the class, for the message.
        defaults: by option.
        given: values by option.

    Raises:
        ConfigError: naming the first option that the class does not have, or the first that is out of its bounds.
    """
    settings = {**defaults, **given}
    for name, value in given.items():
        if name not in defaults:
            raise ConfigError(f"{name}: {agent} has no such option, but: {', '.join(('policy', *defaults))}")
        option, default = OPTIONS[name], defaults[name]
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise ConfigError(f"{name}: {value!r} must be true or false")
        elif option.bounds is None:
            continue
        elif option.scheduled:
            check_schedule(name, value, option.bounds)
        elif not (isinstance(default, str | None) and type(value) is type(default)):
            check(name, value, **option.bounds)
            settings[name] = int(value) if option.bounds.get("whole") else value
    return settings
