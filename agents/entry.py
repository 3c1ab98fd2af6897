"""One line of the table of agents."""

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
