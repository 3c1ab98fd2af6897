"""One server of commands for each worker of the tests, and the modules of `benchmarks/surviving`."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
# Last, so that no benchmark stands for a library.
sys.path.append(str(FOLDER))
Import = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def surviving() -> Import:
    """Import a module of `benchmarks/surviving` by its name."""
    return lambda name: importlib.import_module(f"surviving.{name}")


@pytest.fixture(scope="session")
def commands(surviving: Import, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What runs `curriculum-rl`; it keeps a checkpoint of every segment."""
    cache = str(tmp_path_factory.mktemp("surviving"))
    variables = {"CURRICULUM_RL_CACHE": cache, "CURRICULUM_RL_CHECKPOINT_SECONDS": "0"}
    with surviving("commands").Commands(variables, pictures=False) as server:
        yield server
