"""Who takes part in a comparison: the agents that were typed, and the baselines that every table carries."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.agents.table import check_file, entry
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.load import parse_override

Role = Literal["agent", "baseline", "decomposition"]
Found = Literal["", "fixed", "static", "objective", "em", "js", "yoked", "shuffled", "mean"]
"""Where options come from that nobody typed: a search, the target's objective, its text, or another run."""

STRATIFIED, EM_PRIOR, JS_PRIOR, OBJECTIVE, BEST_FIXED, RANDOM, FINETUNE = (
    "stratified", "em-prior", "js-prior", "target-objective", "best-fixed", "random", "stratified-finetune",
)  # fmt: skip
REFERENCES = (STRATIFIED, EM_PRIOR)
"""What every figure is compared with, seed by seed."""

LONGEST_FOLDER = 200  # characters of a label in the name of its folder

OF_TARGET = ("prior", "prune", "guard")
"""Wrappers through which the target reaches an agent that does not see it otherwise."""


@dataclass(frozen=True)
class Contestant:
    """One row of the table.

    Attributes:
        label: what it is called: what was typed, or the baseline's name.
        agent: its name in the table of agents, or `module:Class`.
        options: of the agent.
        role: why it is there.
        trained: the run directory of a pretrained agent that was given; None: train one, where it needs that.
        found: where its remaining options come from.
        of: the label of the agent that a decomposition is about.
        about: one line for people.
        sees_target: whether anything of the target reaches it.
    """

    label: str
    agent: str
    options: dict[str, Any] = field(default_factory=dict)
    role: Role = "agent"
    trained: Path | None = None
    found: Found = ""
    of: str = ""
    about: str = ""
    sees_target: bool = True

    @property
    def entry(self) -> AgentEntry:
        """Its line of the table of agents."""
        return entry(self.agent)

    @property
    def pretrained(self) -> bool:
        """Whether it is trained over many runs and then used frozen."""
        return self.entry.protocol == "pretrained"

    @property
    def section(self) -> str:
        """The part of the table it stands in: protocols are never mixed."""
        return {"agent": self.entry.protocol}.get(self.role, self.role)

    @property
    def folder(self) -> str:
        """Its label as the name of a folder, which takes no more than 255 bytes."""
        whole = quote(self.label, safe="=+,[] ()")
        if len(whole) <= LONGEST_FOLDER:
            return whole
        return f"{whole[:LONGEST_FOLDER]}~{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def parse(agents: str | Sequence[str]) -> list[Contestant]:
    """The agents that were typed, each once: `name`, `name:option=value:option=value`, `name@run/directory`.

    A name may be `module:Class`.

    Raises:
        ConfigError: for an unknown name, an option that is no `key=value`, or a run directory without its file.
    """
    texts = re.split(r",(?![^\[]*\])", agents) if isinstance(agents, str) else agents
    labels = dict.fromkeys(text.strip() for text in texts if text.strip())
    return [_parse(label) for label in labels]


def _parse(label: str) -> Contestant:
    text, _, run = label.partition("@")
    name, *pairs = re.split(r":(?=\w+=|$)", text)
    known = entry(name, "agents")
    options = {}
    for pair in pairs:
        if "=" not in pair:
            raise ConfigError(f"agents: {label!r}: options are name:option=value (got {pair!r})")
        key, value = parse_override(pair)
        options[key] = value
    if run and known.protocol != "pretrained":
        raise ConfigError(f"agents: {label!r}: {name} learns inside its one run, so no earlier run can be given")
    if run and pairs:
        raise ConfigError(f"agents: {label!r}: a trained agent keeps its options, so none can be given")
    trained = Path(run).expanduser().resolve() if run else None
    if trained and not (trained / "agent.zip").is_file():
        raise ConfigError(f"agents: {label!r}: {run} holds no agent.zip; is it the directory of a finished run?")
    if trained:
        check_file(name, trained / "agent.zip")
    seen = known.sees_target or any(options.get(wrapper) for wrapper in OF_TARGET)
    return Contestant(label, name, options, trained=trained, about=known.summary, sees_target=seen)


def best_static(mixtures: int) -> str:
    """The label of the best static mixture of so many random ones; another number is another contestant."""
    return f"best-static-{mixtures}"


def baselines(*, mixtures: int, objective: str | None) -> list[Contestant]:
    """What every table carries (evidence.md 4), stratified first.

    Args:
        mixtures: random static mixtures that are searched; 0 leaves the best of them out.
        objective: the target's own objective, where it is the objective of some tasks and not of all; else None.
    """
    made = [stratified()]
    if objective:
        about = f"stratified over the tasks of the target's objective, {objective}"
        made.append(Contestant(OBJECTIVE, "mixture", {}, "baseline", None, "objective", "", about, False))
    about = "static: the weights under which a mixture of n-gram models of the tasks explains the target's text best"
    made.append(Contestant(EM_PRIOR, "mixture", {}, "baseline", None, "em", "", about))
    about = "static: shares in proportion to exp(-d / .1), d the Jensen-Shannon divergence from the target's text, bits"
    made.append(Contestant(JS_PRIOR, "mixture", {}, "baseline", None, "js", "", about))
    about = "the one task whose runs ended best on other seeds"
    made.append(Contestant(BEST_FIXED, "mixture", {}, "baseline", None, "fixed", "", about))
    if mixtures:
        about = (
            f"the static mixture whose runs ended best on other seeds, of {mixtures} random ones, {mixtures // 2} "
            "refinements of the best, powers of both priors, and all static baselines"
        )
        made.append(Contestant(best_static(mixtures), "mixture", {}, "baseline", None, "static", "", about))
    about = "stratified, then the target's signal split alone for the last fifth of the budget"
    made.append(Contestant(FINETUNE, "stratified-finetune", {}, "baseline", about=about))
    about = "a task at random for every segment"
    made.append(Contestant(RANDOM, "random", {}, "baseline", about=about, sees_target=False))
    return made


def stratified() -> Contestant:
    """What everything is measured against."""
    about = "every batch holds all tasks equally"
    return Contestant(STRATIFIED, "stratified", {}, "baseline", about=about, sees_target=False)


def decomposition(agent: Contestant) -> list[Contestant]:
    """What of an agent's result is dynamics, and what is feedback (evidence.md 7): three controls without feedback."""
    seen = agent.sees_target
    made: list[tuple[Found, str, str]] = [
        ("yoked", "schedule", "its schedule of another seed, replayed: no feedback"),
        ("shuffled", "schedule", "the same schedule in random order: no dynamics"),
        ("mean", "mixture", "the same schedule's mean mixture, static"),
    ]
    return [
        Contestant(f"{agent.label} {found}", name, {}, "decomposition", None, found, agent.label, about, seen)
        for found, name, about in made
    ]
