"""`curriculum-rl list`: what there is to choose from."""

from pydantic.fields import FieldInfo
from rich.console import Console, Group
from rich.table import Table

from curriculum_rl.schema import KINDS, EnvConfig
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.base import OWN, Custom
from curriculum_rl.schema.learners import TransformerLearner

YAML = {"None": "null", "True": "true", "False": "false"}


def show(what: str, env: str) -> None:
    """Print one table.

    Args:
        what: envs, agents, signals, tasks, or one of `KINDS`.
        env: the environment whose tasks are listed.
    """
    match what:
        case "envs":
            table: Table | Group = _envs()
        case "agents":
            table = _agents()
        case "signals":
            table = _signals()
        case "tasks":
            table = _tasks(env)
        case _:
            table = _kinds(what)
    Console().print(table)


def _envs() -> Table:
    table = _table("name", "tasks", "learner", "budget", "corpora")
    for name in configs.preset_names():
        config = configs.load(name)
        learner = config.learner
        size = f"{learner.layers} layers, width {learner.width}" if isinstance(learner, TransformerLearner) else ""
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


def _signals() -> Table:
    from curriculum_rl.signals import SIGNALS

    table = _table("signal", "what it is")
    for name, what in SIGNALS.items():
        table.add_row(name, what)
    table.add_row(OWN, Custom.__doc__)
    return table


def _tasks(env: str) -> Table:
    table = _table("task")
    for name in task_names(configs.load(env)):
        table.add_row(name)
    return table


def _kinds(what: str) -> Table:
    table = _table("kind", "what it is", "settings")
    for section in KINDS[what]:
        settings = [f"{key}={_default(field)}" for key, field in section.model_fields.items() if key != "kind"]
        table.add_row(section.name(), section.summary(), ", ".join(settings))
    if what != "tokenizers":
        table.add_row(OWN, Custom.__doc__, "")
    return table


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return "required" if field.is_required() else YAML.get(str(default), str(default))


def task_names(config: EnvConfig) -> list[str]:
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
