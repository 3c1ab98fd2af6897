"""The final picture: it is drawn for every kind of run, and shows the favourite."""

import numpy as np
import pytest
from made_rows import made_rows
from PIL import Image

from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.pictures import policy_picture


@pytest.mark.parametrize(("count", "tasks", "replicas"), [(1, 1, 1), (2, 3, 2), (900, 12, 1)])
def test_any_run_is_drawn(tmp_path, count, tasks, replicas):
    path = tmp_path / "new" / "policy.png"
    policy_picture(made_rows(count, tasks=tasks, replicas=replicas), [f"task {i}" for i in range(tasks)], path)
    picture = Image.open(path)
    assert picture.width == 1100
    assert picture.height > 300


def test_the_favourite_is_the_bright_band(tmp_path):
    rows = [{**row, "probabilities": [0.02, 0.02, 0.94, 0.02]} for row in made_rows(20)]
    policy_picture(rows, ["a", "b", "c", "d"], tmp_path / "policy.png")
    pixels = np.asarray(Image.open(tmp_path / "policy.png").convert("RGB")).astype(int)
    # The widest bright line crosses the third of four bands; the colour bar is bright too, but narrow.
    bright = (abs(pixels - [253, 231, 36]).sum(axis=2) < 30).sum(axis=1) > 300
    dark = (abs(pixels - [68, 1, 84]).sum(axis=2) < 60).sum(axis=1) > 300
    assert bright.any()
    assert np.flatnonzero(dark)[0] < np.flatnonzero(bright)[0]
    assert (np.flatnonzero(dark) < np.flatnonzero(bright)[0]).sum() == pytest.approx(2 * bright.sum(), rel=0.1)
    assert (np.flatnonzero(dark) > np.flatnonzero(bright)[-1]).sum() == pytest.approx(bright.sum(), rel=0.1)


def test_unknown_scores_leave_a_gap(tmp_path):
    rows = made_rows(5)
    rows[2]["score"] = None
    policy_picture(rows, ["a", "b", "c", "d"], tmp_path / "policy.png")
    assert (tmp_path / "policy.png").stat().st_size > 5000


def test_no_rows_no_picture(tmp_path):
    with pytest.raises(ConfigError, match="at least one segment"):
        policy_picture([], ["a"], tmp_path / "policy.png")
