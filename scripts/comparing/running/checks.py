"""What may be wrong with the request of a comparison, said before anything runs."""

from collections.abc import Mapping, Sequence

from curriculum_rl.agents.table import make, options_of
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.scripts.comparing.running import contestants
from curriculum_rl.scripts.comparing.running.contestants import Contestant


def check(wanted: Sequence[Contestant], numbers: Mapping[str, tuple[float, int]], decompose: Sequence[str]) -> None:
    """Agents, numbers, and whose dynamics are taken apart.

    Args:
        wanted: the agents that were typed.
        numbers: values by the name of their option, each with the least that it may be; "seeds" among them.
        decompose: labels of agents.

    Raises:
        ConfigError: for the first thing that is wrong.
    """
    if not wanted:
        raise ConfigError("agents: name at least one")
    for key, (value, least) in numbers.items():
        if value < least:
            raise wrong(key, value, f"at least {least}")
    for one in wanted:
        known = options_of(one.agent)
        for option in one.options:
            if option not in known:
                raise ConfigError(f"agents: {one.label!r}: no option {option!r}; {one.agent} has: {', '.join(known)}")
        if not one.pretrained:
            make(one.agent, None, **one.options)  # values out of range show before anything runs
    labels = [one.label for one in wanted]
    for label in decompose:
        if label not in labels:
            raise wrong("decompose", label, f"one of the agents, {', '.join(labels)}")
        if "target.train" in next(one for one in wanted if one.label == label).entry.env:
            raise ConfigError(f"decompose: {label!r} trains on the target's signal split, and its controls cannot")
        if numbers["seeds"][0] < 2:
            raise ConfigError("decompose: replays the schedule of another seed, so at least 2 seeds are needed")


def check_baselines(wanted: bool | Sequence[str], every: Sequence[Contestant]) -> None:
    """Labels of baselines.

    Args:
        wanted: what was asked for.
        every: the baselines that there may be.

    Raises:
        ConfigError: for a label that none of them has.
    """
    labels = [one.label for one in every]
    for label in () if isinstance(wanted, bool) else wanted:
        if label not in labels:
            raise wrong("baselines", label, f"one of {', '.join(labels)}")


def check_reach(wanted: Sequence[Contestant], labels: Sequence[str], others: Sequence[Contestant]) -> None:
    """Labels of those that get runs at parts of the budget.

    Args:
        wanted: the agents that were typed.
        labels: what was asked for.
        others: the baselines that stand beside them.

    Raises:
        ConfigError: for a label that is not among them, or stratified's.
    """
    known = [one.label for one in (*wanted, *others) if one.label != contestants.STRATIFIED]
    for label in labels:
        if label not in known:
            raise wrong("reach", label, f"one of {', '.join(known)}")
