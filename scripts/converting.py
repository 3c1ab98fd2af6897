"""`curriculum-rl import` and `export`: agents from files of stable-baselines3 or of version 0.1, and to the former."""

from pathlib import Path
from typing import Any

from rich.console import Console

from curriculum_rl.agents.rl import foreign
from curriculum_rl.agents.saving import archive, older
from curriculum_rl.agents.table import AGENTS, class_of, load
from curriculum_rl.errors import ConfigError


def import_agent(source: Path, out: Path, *, agent: str | None, trust: bool) -> None:
    """Make a file of this version of one of stable-baselines3, whose code runs meanwhile, or of an older version.

    Args:
        source: the file, or the directory of a run.
        out: the file to write; it must not exist.
        agent: its name in the table of agents, or `module:Class`; None: as the file says.
        trust: whether the user trusts whoever made the file.

    Raises:
        ConfigError: without trust, and where the file is none of these.
    """
    file = _file(source)
    if not trust:
        raise ConfigError(
            f"import: {file} may hold code, which runs when it is read; --trust says that you trust whoever made it"
        )
    _check_out(out)
    if older.is_older(file):
        saved = older.read(file)
        name = agent or _name_of(saved.agent, file)
        archive.write(out, class_of(name).__name__, saved.content)
    else:
        made = foreign.read(file, agent)
        made.save(out)
        name = agent or _name_of(type(made).__name__, file)
    try:
        steps = load(name, out).num_timesteps
    except ConfigError:
        archive.find(out).unlink()
        raise
    _print(f"{archive.find(out)}: {name}, {steps:,} segments; it holds nothing that could run")


def export_agent(source: Path, out: Path, *, agent: str | None) -> None:
    """Write an agent with a network as a file that stable-baselines3 reads.

    Args:
        source: the file, or the directory of a run.
        out: the file to write; it must not exist.
        agent: its name in the table of agents, or `module:Class`; None: as the file says.

    Raises:
        ConfigError: where the file is no saved agent, or of one without a network.
    """
    file = _file(source)
    _check_out(out)
    made: Any = load(agent or _name_of(archive.read(file).agent, file), file)
    foreign.write(made, out)
    theirs = next(cls for cls in type(made).__mro__ if cls.__module__.startswith("stable_baselines3."))
    policy = made.policy_class
    needs = "" if policy.__module__.startswith("stable_baselines3.") else f"; its {policy.__name__} needs curriculum_rl"
    _print(f"stable_baselines3.{theirs.__name__}.load reads {out}{needs}")


def _file(source: Path) -> Path:
    return archive.find(source / "agent.zip" if source.is_dir() else source)


def _check_out(out: Path) -> None:
    if out.exists() or out.with_name(f"{out.name}.zip").exists():
        raise ConfigError(f"out: {out} exists already")


def _name_of(cls: str, file: Path) -> str:
    """The name of the agent whose class has this name.

    Raises:
        ConfigError: where there is none.
    """
    for name in AGENTS:
        if class_of(name).__name__ == cls:
            return name
    raise ConfigError(f"agent: {file} is of {cls!r}, a class of your own; --agent module:{cls} says where it is")


def _print(line: str) -> None:
    Console().print(line, soft_wrap=True, highlight=False, markup=False)
