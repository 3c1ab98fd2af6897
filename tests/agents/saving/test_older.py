"""What files of version 0.1 say of wrappers becomes what wrappers remember today, or is refused."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curriculum_rl.agents.saving import older
from curriculum_rl.errors import ConfigError

SPACE = {"kind": "discrete", "n": 3}


def written(path: Path, options: dict[str, Any], prefix: str) -> Path:
    content = {"options": options, "observation_space": SPACE, "action_space": SPACE}
    arrays = {f"{prefix}divergence": np.zeros((2, 3)), f"{prefix}told": np.ones(2, bool), "rule.counts": np.ones(3)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("agent.json", json.dumps({"format": older.FORMAT, "agent": "A", **content}))
        archive.writestr("state.npz", buffer.getvalue())
    return path


@pytest.mark.parametrize("prefix", ["wrapping.", "rule.wrapping."])
def test_wrappers_get_an_even_prior_that_nobody_said(tmp_path, prefix) -> None:
    memory = older.read(written(tmp_path / "agent.zip", {"prior": None}, prefix)).content["memory"]
    assert memory[f"{prefix}prior"].tolist() == [[1 / 3] * 3] * 2
    assert memory[f"{prefix}weighed"].tolist() == [False, False]
    assert set(memory) == {f"{prefix}{name}" for name in ("divergence", "told", "prior", "weighed")} | {"rule.counts"}


def test_a_prior_of_then_is_refused(tmp_path) -> None:
    """It was a temperature of divergences; an exponent of the same value would play something else without a word."""
    with pytest.raises(ConfigError, match="its option prior is a temperature of divergences"):
        older.read(written(tmp_path / "agent.zip", {"prior": 0.1}, "wrapping."))
