"""`curriculum-rl list`: what there is to choose from."""

from typing import get_args

from rich.console import Console, Group
from rich.table import Table

from curriculum_rl import schema
from curriculum_rl.schema import load as configs


def show(what: str, env: str) -> None:
    """Print one table.

    Args:
        what: envs, agents, tasks, objectives or proxies.
        env: the environment whose tasks are listed.
    """
    Console().print({"envs": _envs, "agents": _agents}.get(what, lambda: _of_env(what, env))())


def _envs() -> Table:
    table = _table("name", "tasks", "learner", "budget", "corpora")
    for name in configs.preset_names():
        config = configs.load(name)
        learner = config.learner
        size = (
            f"{learner.layers} layers, width {learner.width}" if isinstance(learner, schema.TransformerLearner) else ""
        )
        table.add_row(
            name, str(len(task_names(config))), size, f"{config.budget.updates} updates", " ".join(config.corpora)
        )
    return table


def _agents() -> Group:
    from curriculum_rl.agents.entries import FAMILIES

    tables = []
    for family, entries in FAMILIES.items():
        table = Table(title=family, title_justify="left", title_style="bold", expand=True)
        table.add_column("name", no_wrap=True, min_width=18)
        table.add_column("what it is", ratio=1)
        for entry in entries:
            # Columns of their own would leave the summary none on a terminal of 80 characters.
            needs = f"{entry.protocol}; action: {entry.action}; learns from: {entry.feedback}; pays for: {entry.cost}"
            table.add_row(entry.name, f"{entry.summary}\n[dim]{entry.source}\n{needs}[/dim]")
        tables.append(table)
    return Group(*tables)


def _of_env(what: str, env: str) -> Table:
    if what == "tasks":
        table = _table("task")
        for name in task_names(configs.load(env)):
            table.add_row(name)
        return table
    union = schema.ObjectiveConfig if what == "objectives" else schema.ProxyConfig
    table = _table("kind", "what it is", "settings")
    for member in get_args(get_args(union)[0]):
        section = get_args(member)[0]
        kind = "module:Class" if section is schema.Custom else section.model_fields["kind"].default
        kind = kind if isinstance(kind, str) else get_args(section.model_fields["kind"].annotation)[0]
        settings = ", ".join(
            f"{key}={'null' if f.default is None else f.default}"
            for key, f in section.model_fields.items()
            if key != "kind"
        )
        table.add_row(kind, (section.__doc__ or "").split("\n")[0], settings)
    return table


def task_names(config: schema.EnvConfig) -> list[str]:
    """Names of an environment's tasks, without reading any corpus."""
    names = []
    for task in config.tasks:
        corpora = list(config.corpora) if task.corpora == "all" else task.corpora
        names += [f"{corpus}.{task.objective.kind.rpartition(':')[2]}" for corpus in corpora]
    return names


def _table(*columns: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, no_wrap=column == columns[0])
    return table
