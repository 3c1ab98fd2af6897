"""Small real-shaped data for tests: three corpora on disk, one labelled, and an environment over them."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.schema import load as configs
from curriculum_rl.testing.problems import tiny_environment, write_texts

DATA = Path(os.environ.get("CURRICULUM_RL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither read nor fill the user's cache."""
    os.environ["CURRICULUM_RL_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora; a stranger's clone has none."""
    if not DATA.is_dir():
        pytest.skip(f"needs the real data at {DATA} (CURRICULUM_RL_DATA)")
    return DATA


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sea.txt, land.txt and labelled star.jsonl."""
    folder = tmp_path_factory.mktemp("corpora")
    write_texts(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(corpora: Path) -> dict[str, Any]:
    """An environment of 5 tasks whose runs take a fraction of a second."""
    return tiny_environment(corpora)


@pytest.fixture(scope="session")
def experiment(tiny: dict[str, Any]) -> Experiment:
    """The tiny environment, built."""
    return build(configs.load(tiny))
