"""The house: who may import whom, no cycles, one import name, a package list that equals the tree."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPING = PROJECT["tool"]["setuptools"]["package-dir"]
ROOMS = {name: ROOT / folder for name, folder in MAPPING.items()}

CORE, ENVS, AGENTS, SCRIPTS = "curriculum_rl", "curriculum_rl.envs", "curriculum_rl.agents", "curriculum_rl.scripts"
FORBIDDEN = {
    CORE: {ENVS, AGENTS, SCRIPTS, "gymnasium", "stable_baselines3", "sb3_contrib", "typer", "rich"},
    ENVS: {AGENTS, SCRIPTS, "stable_baselines3", "sb3_contrib", "transformers", "datasets", "typer", "rich"},
    AGENTS: {ENVS, SCRIPTS, "transformers", "datasets", "typer", "rich"},
    SCRIPTS: set(),
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
        return max((room for room in ROOMS if f"{self.name}.".startswith(f"{room}.")), key=len)


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


def statements(body: list[ast.stmt], *, at_import: bool) -> Iterator[ast.stmt]:
    """All statements below some, or only those that run when the module is imported."""
    for statement in body:
        yield statement
        if at_import and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import and isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            yield from statements(statement.orelse, at_import=at_import)
            continue
        for child in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, child, []), at_import=at_import)
        for block in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
            yield from statements(block.body, at_import=at_import)


def imported(module: Module, *, at_import: bool = False) -> set[str]:
    """Dotted names that a module imports: `from a import b` gives a and, where that is a module, a.b."""
    tree = ast.parse(module.path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for statement in statements(tree.body, at_import=at_import):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            base = source(module, statement)
            below = {f"{base}.{alias.name}" for alias in statement.names}
            names |= {name for name in below if name in MODULES} or {base}
            names.add(base)
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


def test_no_import_cycle():
    graph = {
        name: {target for target in imported(module, at_import=True) if target in MODULES and target != name}
        for name, module in MODULES.items()
    }
    finished: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in finished:
            for target in sorted(graph[name]):
                walk(target, (*path, name))
            finished.add(name)

    for name in sorted(graph):
        walk(name, ())


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
