"""One line of the table of agents; and how a class of your own becomes an agent.

Wherever an agent is named, `module:Class` names one of your own. It may be

- a bandit's rule (`curriculum_rl.agents.rule.Rule`) or a contextual one (`ContextualRule`),
- a data mixer's rule (`curriculum_rl.agents.mixers.rule.MixerRule`),
- a whole agent: a stable-baselines3 algorithm that fulfils `curriculum_rl.agents.protocol.Agent`, and whose `save` and
  `load` are not stable-baselines3's, which pickle (`curriculum_rl.agents.rl.shell.Pretrained` has others).

Which of them it is follows from its methods. A rule must be a dataclass: the shell makes an agent of it, the fields are
the agent's options, wrappers come for free. Its entry follows from the class, too:

- `name` and `target` are `module:Class`, `summary` is the first line of the docstring;
- a mixer plays mixtures; it needs what `signals` names, and `signals.every` is then 8 where nothing else was chosen; it
  is pretrained where it says `across_runs = True`, and does not look at the proxy's gain;
- a contextual bandit gets `observation: dict`;
- a subclass of our shells is online, one of our policies (`curriculum_rl.agents.rl`) has their settings, any other
  agent is pretrained.

What does not fit, the class says itself in a dict of other fields of `AgentEntry`::

    @dataclass(frozen=True)
    class Mine:
        entry: ClassVar = {"needs_reward": False, "sees_target": False}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class AgentEntry:
    """What exists under a name, what it needs, and where it comes from.

    Attributes:
        name: what a user types.
        target: "module:Class", imported only when the agent is made.
        summary: one line for `curriculum-rl list agents`.
        source: author, year and title or section of what it follows; "ours" where nobody published it.
        action: the action space it plays, "task" (Discrete), "mixture" (Box) or "any" (a pick is one-hot in a Box).
        protocol: "online" agents learn inside their one run; "pretrained" ones over many runs, before they are used.
        needs_reward: whether it learns from the proxy's gain; where False the proxy's cost is only reported.
        needs_signals: whether it reads `info["signals"]`, which the env measures, and charges, at its request.
        sees_target: whether anything of the target reaches it; target-blind agents are judged on all tasks.
        runs: how many runs a pretrained agent learns from, where its method says so; None: `--timesteps` does.
        num_envs: how many replicas `curriculum-rl train` gives it by default.
        env: settings of the environment, by dotted key, that `curriculum-rl train` chooses for it where the user has
            not chosen.
    """

    name: str
    target: str
    summary: str
    source: str
    action: Literal["task", "mixture", "any"] = "any"
    protocol: Literal["online", "pretrained"] = "online"
    needs_reward: bool = True
    needs_signals: bool = False
    sees_target: bool = True
    runs: int | None = None
    num_envs: int = 1
    env: Mapping[str, Any] = field(default_factory=dict)

    @property
    def feedback(self) -> str:
        """What it learns from, in a word."""
        given = [name for name, needed in (("gain", self.needs_reward), ("signals", self.needs_signals)) if needed]
        return " and ".join(given) or "none"

    @property
    def cost(self) -> str:
        """What a segment costs besides the learner's updates, in words."""
        given = [
            name
            for name, needed in (("a proxy reading", self.needs_reward), ("its signals", self.needs_signals))
            if needed
        ]
        return " and ".join(given) or "nothing"
