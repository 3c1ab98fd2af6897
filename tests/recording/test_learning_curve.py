"""The picture of a training: which runs count, and that a PNG comes out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.learning_curve import _runs, learning_curve


def rows(runs: int, segments: int = 4, cut: int = 0) -> list[dict]:
    """Two replicas side by side; run e is paid e in every segment; the last `cut` runs lack a segment."""
    return [
        {"episode": e, "reward": float(e), "probabilities": [0.5 + 0.01 * e, 0.5 - 0.01 * e]}
        for first in range(0, runs, 2)
        for segment in range(segments)
        for e in (first, first + 1)
        if not (e >= runs - cut and segment == segments - 1)
    ]


def test_only_whole_runs_count() -> None:
    returns, probabilities = _runs(rows(8, cut=2))
    assert returns.tolist() == [0, 4, 8, 12, 16, 20]
    assert probabilities.shape == (6, 2)
    assert np.allclose(probabilities[5], [0.55, 0.45])


def test_a_picture_comes_out(tmp_path: Path) -> None:
    learning_curve(rows(8), ["a", "b"], tmp_path / "deep" / "curve.png", replicas=2)
    with Image.open(tmp_path / "deep" / "curve.png") as image:
        assert image.size == (1210, 418)
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 50


def test_one_group_of_runs_is_no_curve(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2 whole runs of 2 side by side"):
        learning_curve(rows(2), ["a", "b"], tmp_path / "curve.png", replicas=2)
