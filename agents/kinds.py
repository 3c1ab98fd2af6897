"""What a class is that a name leads to: a bandit's rule, a contextual one, a mixer's, or a whole agent."""

import dataclasses
import inspect
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from curriculum_rl import plugins
from curriculum_rl.agents.mixers.rule import MixerRule
from curriculum_rl.agents.protocol import Agent
from curriculum_rl.agents.rule import ContextualRule, Rule
from curriculum_rl.errors import ConfigError

Kind = Literal["agent", "mixer", "contextual", "bandit"]

_PROTOCOLS: Mapping[Kind, type] = MappingProxyType(
    {"agent": Agent, "mixer": MixerRule, "contextual": ContextualRule, "bandit": Rule}
)
_SHELLS: Mapping[Kind, str] = MappingProxyType(
    {
        "mixer": "curriculum_rl.agents.mixers.shell:MixerShell",
        "contextual": "curriculum_rl.agents.bandits.contextual:ContextualShell",
        "bandit": "curriculum_rl.agents.shell.loop:Shell",
    }
)
_OF_EVERY_AGENT = {"policy", "env", "seed", "device"}


def kind_of(found: Any, spec: str) -> Kind:
    """What a class is by its methods: a rule has `mixture` or `probabilities`, an agent has `learn` and `predict`.

    Args:
        found: the class.
        spec: `module:Class`, for messages.

    Raises:
        ConfigError: where it is none of them, or lacks something of what it is.
    """
    if not isinstance(found, type):
        raise ConfigError(f"agent: {spec!r} is no class")
    kind = _meant(found)
    if kind is None:
        raise ConfigError(
            f"agent: {spec!r} has neither probabilities nor mixture, as rules have, nor learn and predict"
        )
    methods = {name: method for name, method in vars(_PROTOCOLS[kind]).items() if inspect.isfunction(method)}
    wanted = [name for name in (*methods, *(["signals"] if kind == "mixer" else [])) if not name.startswith("_")]
    missing = [name for name in wanted if not hasattr(found, name)]
    if missing:
        raise ConfigError(f"agent: {spec!r} is no {_said(kind)}: it has no {', '.join(missing)}")
    if kind != "agent":
        for name in ("start", "update"):
            if not _takes(getattr(found, name), methods[name]):
                asked = ", ".join([*inspect.signature(methods[name]).parameters][1:])
                raise ConfigError(f"agent: {spec!r} is no {_said(kind)}: {name} does not take ({asked})")
        if not dataclasses.is_dataclass(found):
            raise ConfigError(f"agent: {spec!r} is no dataclass; the fields of a rule are the agent's options")
    return kind


def _said(kind: Kind) -> str:
    return {"agent": "agent", "mixer": "mixer's rule"}.get(kind, f"{kind} rule".replace("bandit", "bandit's"))


def _meant(found: type) -> Kind | None:
    if hasattr(found, "learn") and hasattr(found, "predict"):
        return "agent"
    if hasattr(found, "mixture"):
        return "mixer"
    if hasattr(found, "probabilities"):
        return "contextual" if _takes(found.probabilities, ContextualRule.probabilities) else "bandit"
    return None


def _takes(method: Any, other: Any) -> bool:
    """Whether a method can be called as another one is."""
    try:
        inspect.signature(method).bind(*inspect.signature(other).parameters)
    except TypeError:
        return False
    return True


def agent_class(spec: str) -> type[Agent]:
    """The agent class behind `module:Class`: the class itself, or that of the shell around a rule.

    Raises:
        ConfigError: as `kind_of`, or where a rule has a field of a name that every agent has an option of.
    """
    found = plugins.load(spec, "agent")
    kind = kind_of(found, spec)
    if kind == "agent":
        agent: type[Agent] = found
        return agent
    made = _around(found, _SHELLS[kind])
    options = made.options()
    for field in dataclasses.fields(found):
        if field.name in _OF_EVERY_AGENT or options.count(field.name) > 1:
            raise ConfigError(f"agent: {spec!r}: {field.name} is an option of every agent, and no name for a field")
    return made


@cache
def _around(rule: type, shell: str) -> type[Agent]:
    """The class of the shell around a rule; its name stands in saved files."""
    named = {"rule_class": rule, "__doc__": rule.__doc__, "__module__": __name__}
    return type(f"{rule.__name__}Agent", (plugins.load(shell, "agent"),), named)
