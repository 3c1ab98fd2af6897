"""Benchmarks as modules: imported by name, as a script beside them would, and forgotten."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
# Last, so that no benchmark stands for a library: `regret` and the package `tartan_arms` are tested as modules.
sys.path.extend([str(FOLDER), str(FOLDER / "papers")])
Import = Callable[[str], ModuleType]


def imports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """What imports a module of a folder by its name; afterwards none of the folder's modules is left."""
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Import a benchmark."""
    yield from imports(FOLDER, monkeypatch)


@pytest.fixture
def papers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Import a module of the papers' benchmarks."""
    yield from imports(FOLDER / "papers", monkeypatch)
