"""The laws' benchmark: its figures on tables whose answers are known, and what it says where the tables are not."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

DRAW = np.random.default_rng(0)


@pytest.fixture
def laws(benchmark):
    return benchmark("laws")


def test_without_tables_it_skips_and_says_so(laws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["laws.py", "--tables", str(tmp_path / "none")])
    laws.main()
    assert capsys.readouterr().out == (
        f"skipped: RegMix's tables are not at {tmp_path}/none (--tables, or CURRICULUM_RL_DATA)\n"
    )


def test_figures(laws):
    losses = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 1.0]])
    predicted = np.array([[0.0, 0.0], [1.0, 5.0], [2.0, 3.0]])
    assert laws.ranked(predicted, losses) == pytest.approx((0.25, -0.5, -0.5))
    assert laws.regret(predicted, losses) == 2
    ends = np.array([[0.0, 2.5, 2.5], [1.5, 3.5, 3.5]])
    assert laws.held_in(ends, losses[:, 0], 0.5) == pytest.approx((2 / 3, 3.5 / 3 / 0.5))


def write(folder: Path, part: str, size: str, runs: int) -> None:
    """A table in RegMix's form: three domains, whose losses are by their own share, and one that is called Pile-CC."""
    mixtures = DRAW.dirichlet(np.ones(3), runs)
    losses = 3 - np.sqrt(mixtures) @ np.array([[1.0, 0.2], [0.0, 0.4], [0.0, 0.2]])
    for name, head, rows in (
        ("mixture", [f"train_the_pile_{domain}" for domain in "abc"], mixtures),
        ("pile_loss", [f"metric/the_pile_{name}_val_loss" for name in ("a", "pile_cc")], losses),
    ):
        lines = [",".join(["index", *head]), *(",".join(map(str, [n, *row])) for n, row in enumerate(rows))]
        (folder / f"{part}_{name}_{size}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


def test_tables_of_a_loss_in_the_ridge_s_span(laws, monkeypatch, tmp_path, capsys):
    """So the ridge is right everywhere, also in regions it has not seen; trees are not drawn, for their time."""
    for part, size, runs in (("train", "1m", 60), ("test", "1m", 40), ("test", "60m", 40)):
        write(tmp_path, part, size, runs)
    monkeypatch.setattr(laws, "LAWS", {"ridge": laws.LAWS["ridge"]})
    monkeypatch.setattr(laws, "SIZES", (30,))
    monkeypatch.setattr(laws, "boosted", lambda *given, **settings: Constant())
    monkeypatch.setattr(sys, "argv", ["laws.py", "--tables", str(tmp_path), "--draws", "2"])
    laws.main()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("|") and "---" not in line
    ]
    few, whole = (next(row for row in rows if row[0] == count) for count in ("30", "60"))
    assert few[1] == whole[1] == "ridge" and all(float(cell) > 0.99 for row in (few, whole) for cell in row[2:5])
    assert {row[0] for row in rows} >= {"a", "b", "c", "mean of regions"}
    assert float(next(row for row in rows if row[0] == "mean of regions")[4]) < 0.1
    held = next(row for row in rows if row[:2] == ["Pile-CC", "ridge"])
    assert 0.75 < float(held[2]) <= 1 and float(held[3]) < 0.1
    assert next(row for row in rows if row[1].startswith("1,000 quantile trees"))[2:4] == [".000", ".000"]


class Constant:
    """A booster that says 0."""

    def predict(self, rows, num_threads):
        return np.zeros(len(rows))
