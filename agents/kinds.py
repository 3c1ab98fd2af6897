"""What a class is that a name leads to: a bandit's rule, a contextual one, a mixer's, or a whole agent."""

import dataclasses
import inspect
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from curriculum_rl import plugins
from curriculum_rl.agents.entries.bandits import CONTEXT
from curriculum_rl.agents.entries.mixers import mixer
from curriculum_rl.agents.entries.rl import POLICY
from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.agents.mixers.rule import MixerRule
from curriculum_rl.agents.protocol import Agent
from curriculum_rl.agents.rule import ContextualRule, Rule
from curriculum_rl.errors import ConfigError

Kind = Literal["agent", "mixer's rule", "contextual bandit's rule", "bandit's rule"]

_PROTOCOLS: Mapping[Kind, type] = MappingProxyType(
    {"agent": Agent, "mixer's rule": MixerRule, "contextual bandit's rule": ContextualRule, "bandit's rule": Rule}
)
_SHELLS: Mapping[Kind, str] = MappingProxyType(
    {
        "mixer's rule": "curriculum_rl.agents.mixers.shell:MixerShell",
        "contextual bandit's rule": "curriculum_rl.agents.bandits.contextual:ContextualShell",
        "bandit's rule": "curriculum_rl.agents.shell.loop:Shell",
    }
)
_OWN = "yours"
_PICKLING = ("stable_baselines3", "sb3_contrib")
_OF_EVERY_AGENT = ("policy", "env", "seed", "device", "verbose", "tensorboard_log")


def kind_of(found: Any, spec: str, key: str = "agent") -> Kind:
    """What a class is by its methods: an agent has `learn` and `predict`, a rule `mixture` or `probabilities`.

    Args:
        found: the class.
        spec: `module:Class`, for messages.
        key: what the user wrote it under, for messages.

    Raises:
        ConfigError: where it is none of them, or lacks something of what it is.
    """
    if not isinstance(found, type):
        raise ConfigError(f"{key}: {spec!r} is no class")
    kind = _meant(found)
    if kind is None:
        raise ConfigError(f"{key}: {spec!r} has no probabilities or mixture, as rules have, and no learn and predict")
    methods = {name: method for name, method in vars(_PROTOCOLS[kind]).items() if not name.startswith("_")}
    missing = [name for name in methods if not hasattr(found, name)]
    if kind == "mixer's rule" and not isinstance(getattr(found, "signals", None), tuple):
        missing.append("signals, a tuple of names")
    if missing:
        raise ConfigError(f"{key}: {spec!r} is no {kind}: it has no {', '.join(missing)}")
    if kind == "agent":
        _check_files(found, f"{key}: {spec!r}")
    else:
        _check_rule(found, f"{key}: {spec!r}", kind, methods)
    return kind


def _meant(found: type) -> Kind | None:
    if hasattr(found, "learn") and hasattr(found, "predict"):
        return "agent"
    if hasattr(found, "mixture"):
        return "mixer's rule"
    if hasattr(found, "probabilities"):
        contextual = _takes(found.probabilities, ContextualRule.probabilities)
        return "contextual bandit's rule" if contextual else "bandit's rule"
    return None


def _check_files(found: type, who: str) -> None:
    """See that an agent's files are not pickles: whoever names an agent says nothing about what its file may do."""
    for name in ("save", "load"):
        if getattr(found, name).__module__.partition(".")[0] in _PICKLING:
            raise ConfigError(
                f"{who} has the {name} of stable-baselines3, whose files run code when they are read; build on "
                "curriculum_rl.agents.rl.shell.Pretrained, or write save and load"
            )


def _check_rule(found: type, who: str, kind: Kind, methods: Mapping[str, Any]) -> None:
    for name, method in methods.items():
        if not _takes(getattr(found, name), method):
            asked = ", ".join([*inspect.signature(method).parameters][1:])
            raise ConfigError(f"{who} is no {kind}: {name} does not take ({asked})")
    if not dataclasses.is_dataclass(found):
        raise ConfigError(f"{who} is no dataclass; the fields of a rule are the agent's options")


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
        ConfigError: as `kind_of`, or where a field of a rule has the name of an option that every agent has.
    """
    found = plugins.load(spec, "agent")
    kind = kind_of(found, spec)
    if kind == "agent":
        agent: type[Agent] = found
        return agent
    made: Any = _around(found, _SHELLS[kind])
    for field in dataclasses.fields(found):
        if field.name in (*_OF_EVERY_AGENT, *made.shared, *dataclasses.asdict(made.wrappers)):
            raise ConfigError(f"agent: {spec!r}: {field.name} is an option of every agent, and no name for a field")
    shell: type[Agent] = made
    return shell


@cache
def _around(rule: type, shell: str) -> type[Agent]:
    """The class of the shell around a rule; its name stands in saved files."""
    named = {"rule_class": rule, "__doc__": rule.__doc__, "__module__": __name__}
    return type(f"{rule.__name__}Agent", (plugins.load(shell, "agent"),), named)


def entry_of(spec: str, key: str) -> AgentEntry:
    """What `module:Class` is and needs: what follows from its kind, and what its attribute `entry` says instead.

    Raises:
        ConfigError: as `kind_of`, or where `entry` says what an `AgentEntry` does not have.
    """
    found = plugins.load(spec, key)
    made = _by_kind(found, kind_of(found, spec, key), spec)
    said = getattr(found, "entry", {})
    known = [field.name for field in dataclasses.fields(AgentEntry) if field.name not in {"name", "target"}]
    if not isinstance(said, Mapping) or not set(said) <= set(known):
        raise ConfigError(f"{key}: {spec!r}: entry must be a dict of some of {', '.join(known)}, not {said!r}")
    return dataclasses.replace(made, **said)


def _by_kind(found: Any, kind: Kind, spec: str) -> AgentEntry:
    summary, signals = (inspect.getdoc(found) or "").partition("\n")[0], getattr(found, "signals", ())
    if kind == "mixer's rule":
        pretrained = getattr(found, "across_runs", False)
        return mixer(spec, spec, summary, _OWN, signals=bool(signals), pretrained=pretrained)
    more: dict[str, Any] = {}
    if kind == "contextual bandit's rule":
        more = {"env": CONTEXT}
    elif kind == "agent":
        from curriculum_rl.agents.rl.shell import Pretrained
        from curriculum_rl.agents.shell.loop import Shell

        if issubclass(found, Shell):
            more, signals = {"action": "mixture" if found.mixes else "any"}, getattr(found.rule_class, "signals", ())
        elif issubclass(found, Pretrained):
            more = {**POLICY, "action": found.plays}
        else:
            more = {"protocol": "pretrained"}
        more |= {"needs_signals": bool(signals)}
    return AgentEntry(spec, spec, summary, _OWN, **more)
