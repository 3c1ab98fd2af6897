"""The house: who may import whom, no cycles, one import name, a package list that equals the tree."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPING = PROJECT["tool"]["setuptools"]["package-dir"]
ROOMS = {name: ROOT / folder for name, folder in MAPPING.items()}

CORE, ENVS, AGENTS, SCRIPTS = "curriculum_rl", "curriculum_rl.envs", "curriculum_rl.agents", "curriculum_rl.scripts"
# A folder of the core's, but a room of its own: it knows all others and none knows it; pytest is its alone.
TESTING = "curriculum_rl.testing"
_MODELS, _CONSOLE = ("transformers", "datasets"), ("typer", "rich")
FORBIDDEN = {
    CORE: {ENVS, AGENTS, SCRIPTS, TESTING, "gymnasium", "stable_baselines3", "sb3_contrib", *_CONSOLE, "pytest"},
    ENVS: {AGENTS, SCRIPTS, TESTING, "stable_baselines3", "sb3_contrib", *_MODELS, *_CONSOLE, "pytest"},
    AGENTS: {ENVS, SCRIPTS, TESTING, *_MODELS, *_CONSOLE, "pytest"},
    SCRIPTS: {TESTING, "pytest"},
    TESTING: {SCRIPTS},
}
# The adapter to stable-baselines3's VecEnv is the one place where an environment may know it.
EXCEPTIONS = {("curriculum_rl.envs.stable_baselines", "stable_baselines3")}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    is_package: bool

    @property
    def room(self) -> str:
        return max((room for room in FORBIDDEN if f"{self.name}.".startswith(f"{room}.")), key=len)


def modules() -> dict[str, Module]:
    found = {}
    for room, folder in ROOMS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            if any((folder / Path(*parts[:depth])).is_symlink() for depth in range(1, len(parts))):
                continue
            is_package = parts[-1] == "__init__"
            name = ".".join([room, *(parts[:-1] if is_package else parts)])
            found[name] = Module(name, path, is_package)
    return found


MODULES = modules()


def imported(module: Module) -> set[str]:
    """Dotted names that a module imports, anywhere: `from a import b` gives a.b where that is a module, else a."""
    names: set[str] = set()
    for statement in ast.walk(ast.parse(module.path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            base = source(module, statement)
            below = {f"{base}.{alias.name}" for alias in statement.names}
            inside = {name for name in below if name in MODULES}
            names |= inside if len(inside) == len(below) else inside | {base}
    return names


def source(module: Module, statement: ast.ImportFrom) -> str:
    """Where a `from` import takes its names, relative ones resolved."""
    if not statement.level:
        return statement.module or ""
    up = module.name.split(".")[: (1 if module.is_package else 0) - statement.level or None]
    return ".".join([*up, *([statement.module] if statement.module else [])])


def test_the_walk_sees_every_room():
    assert {module.room for module in MODULES.values()} == set(FORBIDDEN)
    assert "curriculum_rl.errors" in imported(MODULES["curriculum_rl.recording.runs"])


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_wrong_arrow(name):
    module = MODULES[name]
    wrong = {
        f"{name} -> {target}"
        for target in imported(module)
        for banned in FORBIDDEN[module.room]
        if f"{target}.".startswith(f"{banned}.") and (name, banned) not in EXCEPTIONS
    }
    assert not wrong


def arrows() -> dict[str, set[str]]:
    """Who imports whom, counted wherever the import stands: in functions and for type checkers, too."""
    return {
        name: {target for target in imported(module) if target in MODULES and target != name}
        for name, module in MODULES.items()
    }


def rooms(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same between rooms: the folders and single modules of the core, the envs, the agents, the scripts."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    out: dict[str, set[str]] = {}
    for name, targets in graph.items():
        out.setdefault(room(name), set()).update(room(target) for target in targets)
    return {name: targets - {name} for name, targets in out.items()}


def floors(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """How high each stands above those that import nobody; of a graph without circles."""
    found: dict[str, int] = {}

    def floor(name: str) -> int:
        if name not in found:
            found[name] = 1 + max((floor(target) for target in graph[name]), default=0)
        return found[name]

    for name in graph:
        floor(name)
    return found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The circles of a graph, each as the names on the way round; one of every way that comes back."""
    finished: set[str] = set()
    found: list[list[str]] = []

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
        elif name not in finished:
            for target in sorted(graph[name]):
                walk(target, (*path, name))
            finished.add(name)

    for name in sorted(graph):
        walk(name, ())
    return found


def test_no_circle_wherever_an_import_stands():
    assert not circles(arrows())


def test_rooms_stand_on_floors(record_property):
    """Before the rooms: 55 of them with 225 arrows on 15 floors, one arrow upward and 3 circles of modules."""
    graph = rooms(arrows())
    assert not circles(graph)
    counted = {"rooms": len(graph), "arrows": sum(map(len, graph.values())), "floors": max(floors(graph).values())}
    for name, count in counted.items():
        record_property(name, count)
    assert counted["rooms"] <= 31
    assert counted["floors"] <= 14


def test_the_search_for_circles_finds_them():
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "b"}}) == [["a", "b", "c", "a"], ["b", "c", "b"]]


def test_links_and_package_dir_say_the_same():
    links = {path.name: str(path.readlink()) for path in (ROOT / CORE).iterdir() if path.is_symlink()}
    assert links == {name.rpartition(".")[2]: f"../{folder}" for name, folder in MAPPING.items() if "." in name}
    assert MAPPING[CORE] == CORE


def test_the_package_list_equals_the_tree():
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == [
        name for name in sorted(MODULES) if MODULES[name].is_package
    ]


def test_every_module_stands_in_a_package():
    packages = {name for name, module in MODULES.items() if module.is_package}
    assert not {name for name in MODULES if "." in name and name.rpartition(".")[0] not in packages}


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_a_room_has_one_name(name):
    answer = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert f"ImportError: import curriculum_rl.{name}" in answer.stderr


def test_dev_py_needs_nothing_installed():
    tree = ast.parse((ROOT / "dev.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
