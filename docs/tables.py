"""Writes the tables of the docs that follow from the code: keys and kinds of the schema, signals, agents.

A table stands between `<!-- made by docs/tables.py: NAME -->` and `<!-- end -->`. Run `python docs/tables.py` after a
change of the schema, the signals or the agents; a test fails where that was forgotten.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curriculum_rl.agents.entries import FAMILIES
from curriculum_rl.plugins import load
from curriculum_rl.schema import KINDS, EnvConfig
from curriculum_rl.schema.base import KindSection, Section
from curriculum_rl.schema.env import ActionConfig, BudgetConfig, RewardConfig, SegmentConfig, SignalsConfig
from curriculum_rl.schema.learners import LightConfig, OptimizerConfig
from curriculum_rl.schema.proxies import FineTuneSettings
from curriculum_rl.schema.targets import ReportConfig, TargetConfig
from curriculum_rl.schema.tasks import TaskConfig
from curriculum_rl.signals import SIGNALS

DOCS = Path(__file__).resolve().parent
MARKED = re.compile(r"(<!-- made by docs/tables\.py: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
READ = {True: "left to right", False: "both ways"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
SECTIONS: Mapping[str, type[Section]] = {
    "environment": EnvConfig,
    "tasks": TaskConfig,
    "target": TargetConfig,
    "report": ReportConfig,
    "report.finetune": FineTuneSettings,
    "segment": SegmentConfig,
    "budget": BudgetConfig,
    "action": ActionConfig,
    "reward": RewardConfig,
    "optimizer": OptimizerConfig,
    "learner.light": LightConfig,
    "signals": SignalsConfig,
}


def keys(section: type[Section]) -> str:
    """A row for each key of a section."""
    return _table(("key", "says", "values", "default"), _rows(section))


def kinds(sections: Sequence[type[KindSection]]) -> str:
    """A row for each kind, and under it one for each of its keys."""
    rows = []
    for section in sections:
        rows.append((f"**`{section.name()}`**", section.summary(), "", ""))
        rows += _rows(section)
    return _table(("kind and its keys", "is, or says", "values", "default"), rows)


def objectives() -> str:
    """A row for each objective: what it asks for, how its rows are read, its settings."""
    rows = []
    for section in KINDS["objectives"]:
        fields = {key: field for key, field in section.model_fields.items() if key != "kind"}
        read = "either" if "causal" in fields else READ[load(section.builds, "builds").causal]
        settings = "; ".join(f"`{key}` {_default(field.default)}: {field.description}" for key, field in fields.items())
        rows.append((f"`{section.name()}`", section.summary(), read, settings))
    return _table(("kind", "is", "read", "settings, with their defaults"), rows)


def signals() -> str:
    """A row for each signal."""
    return _table(("signal", "is"), [(f"`{name}`", what) for name, what in SIGNALS.items()])


def agents(family: str) -> str:
    """A row for each agent of a family."""
    columns = ("agent", "what it is", "plays", "protocol", "learns from", "pays for", "source")
    return _table(
        columns,
        [
            (f"`{one.name}`", one.summary, one.action, one.protocol, one.feedback, one.cost, one.source)
            for one in FAMILIES[family]
        ],
    )


TABLES: Mapping[str, Callable[[], str]] = {
    **{f"keys of {name}": partial(keys, section) for name, section in SECTIONS.items()},
    **{name: partial(kinds, sections) for name, sections in KINDS.items() if name != "objectives"},
    "objectives": objectives,
    "signals": signals,
    **{f"agents, {family}": partial(agents, family) for family in FAMILIES},
}


def written(text: str) -> str:
    """A page with its tables made anew."""
    return MARKED.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


def pages() -> list[Path]:
    """All pages that may have tables."""
    return sorted(DOCS.rglob("*.md"))


def _rows(section: type[Section]) -> list[tuple[str, str, str, str]]:
    schema = section.model_json_schema()
    required = schema.get("required", [])
    return [
        (
            f"`{key}`",
            said["description"],
            _values(said),
            "required" if key in required else _default(said.get("default", "")),
        )
        for key, said in schema["properties"].items()
        if not (key == "kind" and issubclass(section, KindSection))
    ]


def _values(said: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in said:
        return " or ".join(dict.fromkeys(_values(one) for one in said["anyOf"]))
    if "oneOf" in said or "$ref" in said:
        return "section"
    if "enum" in said or "const" in said:
        return ", ".join(f"`{_plain(value)}`" for value in said.get("enum", [said.get("const")]))
    match said["type"]:
        case "integer" | "number" as kind:
            bounds = [f"{sign} {said[bound]:g}" for bound, sign in BOUNDS.items() if bound in said]
            return " ".join(["whole number" if kind == "integer" else "number", " and ".join(bounds)]).strip()
        case "array":
            return "two numbers" if said.get("maxItems") == 2 else "list"
        case kind:
            return {"boolean": "`true`, `false`", "string": "text", "object": "mapping", "null": "`null`"}[kind]


def _default(value: Any) -> str:
    if isinstance(value, dict) or value == "":
        return f"`{value['kind']}`" if "kind" in value else ""
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    """As YAML has it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, float):
        return f"{value:.4g}"
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = written(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(DOCS.parent))
