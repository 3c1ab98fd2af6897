"""The search for a static mixture: what it tries, in which order, and that no file is taken for another's."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.scripts.comparing.running import proposing
from curriculum_rl.scripts.comparing.running.directory import Directory
from curriculum_rl.scripts.comparing.running.search import Floats, Part, Search

BEST = np.array([0.0, 0.6, 0.4, 0.0])


def search(folder: Path, **changes: object) -> Search:
    em = np.array([0.1, 0.5, 0.3, 0.1])
    settings = {"priors": {"em": em, "js": em[::-1]}, "objective": None, "mixtures": 64, "emphasis": 0.9, **changes}
    return Search(Directory(folder), 4, **settings)  # type: ignore[arg-type]


def near(mixture: Floats) -> float:
    """A score that is best at one mixture of two tasks."""
    return -float(np.abs(mixture - BEST).sum())


def play(parts: list[Part], one: Search, score: Callable[[Floats], float] = near) -> None:
    for part in parts:
        file = one.folder.search(part.name)
        file.parent.mkdir(exist_ok=True)
        runs = len(part.mixtures)
        cost = {"runs": runs, "tokens": runs, "flops": 2.0 * runs, "seconds": 1.0}
        scores = [score(mixture) for mixture in part.mixtures]
        file.write_text(json.dumps({"mixtures": part.mixtures.tolist(), "scores": scores, **cost}))


def whole(one: Search, score: Callable[[Floats], float] = near) -> None:
    play(one.known, one, score)
    for kind, _ in one.rounds():
        play(one.parts(kind), one, score)


def test_every_round_waits_for_those_before(tmp_path: Path) -> None:
    one = search(tmp_path)
    known = [part.name for part in one.known]
    assert [name.rpartition("-")[0].rpartition("-")[0] for name in known] == ["fixed", f"named-{known[1][6:14]}"] + [
        "drawn"
    ] * 4
    assert [len(part.mixtures) for part in one.known] == [4, 1 + 4 + 3, 16, 16, 16, 16]
    whole(one)
    rounds = dict(one.rounds())
    assert list(rounds) == ["final-fixed", "refined-0", "refined-1", "final-static"]
    assert rounds["refined-0"] == known and rounds["final-fixed"] == known[:1]
    assert rounds["final-static"] == [*known, *one.names("refined-0"), *one.names("refined-1")]
    assert [len(part.mixtures) for kind in rounds for part in one.parts(kind)] == [3, 3, 16, 16, 8, 8]
    found = one.choose("static")
    assert found.cost == {"runs": 4 + 8 + 64 + 32 + 16, "tokens": 124, "flops": 248.0, "seconds": 10.0}
    assert one.choose("fixed").cost["runs"] == 4 + 3 * 2


def test_refinements_end_nearer_to_the_best_than_what_was_drawn(tmp_path: Path) -> None:
    one = search(tmp_path)
    whole(one)
    drawn = max(near(mixture) for part in one.known for mixture in part.mixtures)
    first = max(near(mixture) for part in one.parts("refined-0") for mixture in part.mixtures)
    found = one.choose("static")
    assert drawn < first <= found.score
    assert found.score == pytest.approx(near(np.array(found.shares)))
    assert found.score > 0.5 * drawn  # half of the way that was left


def test_the_same_scores_lead_to_the_same_refinements(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        one = search(tmp_path / name)
        (tmp_path / name).mkdir()
        whole(one)
        made.append([part.mixtures.tolist() for kind, _ in one.rounds() for part in one.parts(kind)])
    assert made[0] == made[1]


def test_a_file_of_other_mixtures_has_another_name(tmp_path: Path) -> None:
    one, more = search(tmp_path), search(tmp_path, mixtures=32)
    other = search(tmp_path, priors={"em": np.full(4, 0.25), "js": np.full(4, 0.25)})
    names = [[part.name for part in search.known] for search in (one, other, more)]
    assert names[0][0] == names[1][0] == "fixed-0-4"
    assert names[0][1] != names[1][1] and names[0][1] == names[2][1]
    assert names[0][2:4] == names[1][2:4] == names[2][2:]
    assert np.array_equal(one.known[3].mixtures, more.known[3].mixtures)
    for kind in ("refined-0", "final-static"):
        assert not {*one.names(kind)} & {*other.names(kind)} and not {*one.names(kind)} & {*more.names(kind)}
    assert one.names("final-fixed") == other.names("final-fixed") == ["final-fixed-900001", "final-fixed-900002"]


@pytest.mark.parametrize(
    ("mixtures", "rounds"), [(1, (0, 0)), (2, (1, 0)), (5, (1, 1)), (64, (16, 16)), (80, (20, 20))]
)
def test_half_as_many_refinements_as_random_mixtures(tmp_path: Path, mixtures: int, rounds: tuple[int, int]) -> None:
    one = search(tmp_path, mixtures=mixtures)
    assert one.refinements == rounds
    whole(one)
    counts = tuple(sum(len(part.mixtures) for part in one.parts(f"refined-{n}")) if rounds[n] else 0 for n in (0, 1))
    assert counts == rounds
    assert all(len(part.mixtures) <= 16 for n in (0, 1) if rounds[n] for part in one.parts(f"refined-{n}"))


def test_without_random_mixtures_only_fixed_tasks_are_tried(tmp_path: Path) -> None:
    one = search(tmp_path, mixtures=0)
    whole(one)
    assert one.rounds() == [("final-fixed", ["fixed-0-4"])]
    assert one.choose("fixed").shares == [0.0, 1.0, 0.0, 0.0]


def test_refinements_are_mixtures_around_the_best() -> None:
    tried = np.array([[0.7, 0.2, 0.1, 0.0], [0.0, 0.0, 0.0, 1.0], [0.7, 0.2, 0.1, 0.0], [0.1, 0.1, 0.1, 0.7]])
    made = proposing.refined(tried, np.array([3.0, 1.0, 3.0, 0.0]), 12, scale=0.25, seed=(1, 2))
    assert made.shape == (12, 4) and (made >= 0).all()
    assert made.sum(axis=1) == pytest.approx(np.ones(12))
    # Four around the best, whose twin does not count; the second of them lies between it and another one.
    assert abs(np.log(made[0][:3] / made[0][0]) - np.log(tried[0][:3] / 0.7)).max() < 4 * 0.25
    assert 0 < made[0][3] < 0.1
    assert made[3] == pytest.approx([7 / 9, 2 / 9, 0, 0])
    assert made[4].argmax() == made[6].argmax() == made[7].argmax() == 3  # one task alone has none to lose
    assert made[11] == pytest.approx([0, 0, 0, 1])
    assert len({tuple(mixture) for mixture in made.tolist()}) == 12
    assert all(0.2 <= mixture.max() <= 0.95 for mixture in (made[1], made[5], made[9]))


def test_sparse_mixtures_lose_at_least_one_task() -> None:
    assert proposing.sparse(np.array([0.5, 0.3, 0.15, 0.05])) == pytest.approx(np.array([50, 30, 15, 0]) / 95)
    assert proposing.sparse(np.full(4, 0.25)) == pytest.approx(np.array([0, 1, 1, 1]) / 3)
    assert proposing.sparse(np.array([0.6, 0.4, 0.0, 0.0])) == pytest.approx([1, 0, 0, 0])
