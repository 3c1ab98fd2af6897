"""The benchmark of downstream-aware and -agnostic selection: its verdicts on made-up figures, and a toy run."""

import json

import pytest

from curriculum_rl.testing.problems import STAR, sentences

SEEDS = range(6)


def spread(mean, wide):
    """Six figures about a mean, by seed."""
    return {seed: mean + wide * (seed - 2.5) for seed in SEEDS}


@pytest.mark.parametrize(
    ("difference", "wide", "said"),
    [(-0.3, 0.02, "better"), (0.3, 0.02, "worse"), (0.002, 0.004, "tie"), (0.01, 0.2, "open"), (0.0, 0.0, "tie")],
)
def test_a_verdict_needs_an_interval_or_an_equivalence(papers, difference, wide, said):
    found = papers("luo_claims").against(spread(1 + difference, wide), dict.fromkeys(SEEDS, 1.0), 0.05)
    assert found["verdict"] == said
    assert found["difference"]["mean"] == pytest.approx(difference, abs=1e-12)
    assert found["seeds"] == 6


def test_a_tie_is_a_statement_about_the_margin(papers):
    claims = papers("luo_claims")
    values = [0.03 + 0.004 * (seed - 2.5) for seed in SEEDS]
    assert claims.equivalence(values, 0.05) < 0.05 < claims.equivalence(values, 0.031)
    assert claims.against({0: 1.0}, {0: 1.0}) is None


def test_the_claims_are_about_the_right_pairs(papers):
    claims = papers("luo_claims")
    losses = {
        "aware": {
            "d-ts": {"own": spread(0.5, 0.01), "x": spread(0.9, 0.01), "y": spread(1.1, 0.01)},
            "random": {"own": spread(0.8, 0.01), "x": spread(1, 0.01), "y": spread(1, 0.01)},
        },
        "agnostic": {"d-ts": {"own": spread(0.7, 0.01), "x": spread(0.8, 0.01), "y": spread(0.6, 0.01)}},
    }
    useless = {"aware": {"d-ts": [0.1, 0.2, 0.3], "random": [1.0, 1.0, 1.0]}, "agnostic": {"d-ts": [0.4, 0.4, 0.6]}}
    found = claims.claims(useless, losses, own="own")
    assert found["C8"]["aware d-ts"]["useless"]["holds"] is True
    assert found["C8"]["aware random"]["useless"]["holds"] is False
    assert found["C8"]["agnostic d-ts"]["useless"]["holds"] is False
    assert found["C8"]["aware d-ts"]["uniform"]["difference"]["mean"] == pytest.approx(-0.3)
    assert found["C8"]["agnostic d-ts"]["uniform"]["difference"]["mean"] == pytest.approx(-0.1)
    assert found["C9"]["d-ts"]["own"]["difference"]["mean"] == pytest.approx(-0.2)
    assert found["C9"]["d-ts"]["own"]["verdict"] == "better"
    assert found["C9"]["d-ts"]["others"]["difference"]["mean"] == pytest.approx(-0.3)


def test_a_toy_run_goes_all_the_way_and_is_not_repeated(papers, tiny, tmp_path, capsys):
    luo = papers("luo")
    toy = {
        "proxy": {"kind": "head", "examples": 32, "test_examples": 32},
        "report": {"sequences": 16, "task_sequences": 4, "finetune": {"examples": 16, "updates": 2, "batch": 4}},
        "budget": {"updates": 60},
    }
    env = {**tiny, **toy}
    rows = [{"text": text, "label": "xy"[n % 2]} for n, text in enumerate(sentences(STAR, 900, 9))]
    (tmp_path / "stars.jsonl").write_text("\n".join(map(json.dumps, rows)))
    other = {"kind": "files", "paths": str(tmp_path / "stars.jsonl"), "label_field": "label"}
    how = {
        "out": tmp_path / "luo",
        "env": env,
        "selectors": ("d-ts", "mometas"),
        "others": ("round-robin",),
        "targets": {"stars": other},
        "useless": "noise.causal_lm",
        "seeds": 2,
        "baselines": False,
    }
    found = luo.run(**how)
    shown = capsys.readouterr().out
    assert set(found["scores"]) == {
        *(f"{variant} {agent}" for variant in ("aware", "agnostic") for agent in ("d-ts", "mometas", "stratified")),
        *("aware round-robin", "aware random", "untrained"),
    }
    for targets in found["scores"].values():
        assert set(targets) == {"own", "stars"}
        assert {seed for by_seed in targets.values() for seed in by_seed} == {0, 1}
    # What looks at no reward is the same run in both variants, down to the scores of its learner.
    assert found["scores"]["aware stratified"] == found["scores"]["agnostic stratified"]
    assert found["scores"]["aware d-ts"] != found["scores"]["agnostic d-ts"]
    assert found["useless"]["aware"]["random"] == pytest.approx([1, 1])
    assert set(found["claims"]) == {"probe_loss", "finetune_loss"}
    assert set(found["claims"]["finetune_loss"]["C9"]) == {"d-ts", "mometas"}
    assert "NOT dropped" in shown and "C9" in shown
    kept = json.loads((tmp_path / "luo" / "result.json").read_text())
    assert kept["claims"]["probe_loss"]["C8"].keys() == found["claims"]["probe_loss"]["C8"].keys()
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "luo" / "scores").rglob("*.json")}
    assert luo.run(**how, quiet=True)["scores"] == found["scores"]
    assert {file: file.stat().st_mtime_ns for file in before} == before
