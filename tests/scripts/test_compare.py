"""`compare` on a tiny environment: what it finds, what it never repeats, and what it refuses."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.pretraining.counting import CountingLosses
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.compare import compare
from curriculum_rl.scripts.comparing.output import page, tables
from curriculum_rl.scripts.comparing.output.cost_tables import failures
from curriculum_rl.scripts.comparing.output.lines import is_crash
from curriculum_rl.scripts.comparing.output.verdicts import verdict
from curriculum_rl.scripts.comparing.running import search
from curriculum_rl.scripts.comparing.running.directory import Directory, error_of
from curriculum_rl.text import divergence

AGENTS = "exp3s,fixed:task=9"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    """Three quarters of a run this small would be its `policy.png`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("curriculum_rl.scripts.running.finishing.policy_picture", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def small(tiny: dict[str, Any]) -> dict[str, Any]:
    return {**tiny, "budget": {"updates": 8}, "report": {**tiny["report"], "finetune": None}}


@pytest.fixture(scope="module")
def settings(small: dict[str, Any]) -> dict[str, Any]:
    return {"env": small, "agents": AGENTS, "seeds": 2, "static_mixtures": 2, "decompose": ["exp3s"], "quiet": True}


@pytest.fixture(scope="module")
def finished(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """One comparison with everything: baselines, a search, a decomposition, an agent that crashes."""
    out = tmp_path_factory.mktemp("compare") / "all"
    return out, compare(**settings, out=out)


def times(out: Path) -> dict[str, int]:
    """When each cell was finished."""
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob("result.json")}


def test_the_document_has_its_schema(finished: tuple[Path, dict[str, Any]]) -> None:
    out, found = finished
    assert json.loads((out / "compare.json").read_text()) == found
    documented = set(re.findall(r"^\| `(\w+)` \|", (Path(__file__).parents[2] / "docs/compare.md").read_text(), re.M))
    assert set(found) <= documented
    entry = found["agents"]["exp3s"]
    assert set(entry) <= documented
    assert set(entry["runs"][0]) <= documented
    assert (found["seeds"], len(found["tasks"]), found["format"]) == ([0, 1], 5, 3)
    sections = {label: one["section"] for label, one in found["agents"].items()}
    assert sections["exp3s"] == sections["fixed:task=9"] == "online"
    assert [label for label, section in sections.items() if section == "baseline"] == [
        "stratified", "target-objective", "em-prior", "js-prior", "best-fixed", "best-static-2", "stratified-finetune",
        "random",
    ]  # fmt: skip
    assert [label for label, section in sections.items() if section == "decomposition"] == [
        "exp3s yoked", "exp3s shuffled", "exp3s mean",
    ]  # fmt: skip


def test_every_run_costs_the_same_and_starts_alike(finished: tuple[Path, dict[str, Any]]) -> None:
    out, found = finished
    charged = {label: one["cost"]["charged"] for label, one in found["agents"].items() if one["cost"]}
    update = charged["stratified"] / 8
    assert all(charged["stratified"] - update < cost <= charged["stratified"] for cost in charged.values())
    assert found["agents"]["exp3s"]["cost"]["flops"]["proxy"] > 0
    assert "proxy" not in found["agents"]["em-prior"]["cost"]["flops"]
    # Under one seed the learner begins with the same weights: its first score is the same whatever is done with it.
    first = {
        label: read_rows(out / "runs" / label / "seed-1" / "segments.jsonl")[0]
        for label in ("stratified", "random", "em-prior", "stratified-finetune")
    }
    assert len({round(row["score"] - row["gain"], 9) for row in first.values()}) == 1


def test_figures_follow_from_the_runs(finished: tuple[Path, dict[str, Any]]) -> None:
    _, found = finished
    agents = found["agents"]
    losses = {
        label: [run["target_loss"] for run in agents[label]["runs"]] for label in ("exp3s", "stratified", "em-prior")
    }
    figure = agents["exp3s"]["figures"]["target_loss"]
    assert figure["mean"] == pytest.approx(np.mean(losses["exp3s"]))
    for reference in ("stratified", "em-prior"):
        difference = np.subtract(losses["exp3s"], losses[reference])
        assert figure["against"][reference]["difference"]["mean"] == pytest.approx(difference.mean())
    assert figure["against"]["stratified"]["holm"] == figure["against"]["stratified"]["p"]  # one agent finished
    run = agents["exp3s"]["runs"][0]
    assert run["gap"] == pytest.approx(run["target_loss"] + run["proxy_score"])
    parts = found["decomposition"]["exp3s"]
    whole = figure["against"]["stratified"]["difference"]["mean"]
    assert sum(part["mean"] for part in parts) == pytest.approx(whole)
    place = found["wins"]["order"].index
    row, column = place("exp3s"), place("stratified")
    matrix = found["wins"]["matrix"]
    assert matrix[row][column] + matrix[column][row] == pytest.approx(1)
    assert matrix[row][row] is None


def test_the_search_is_charged(finished: tuple[Path, dict[str, Any]]) -> None:
    _, found = finished
    fixed, static = (found["agents"][label]["setup"] for label in ("best-fixed", "best-static-2"))
    # Five fixed tasks, then three on two more seeds. Even, the target's objective, four powers of one prior, three of
    # the other, two drawn ones and one refinement, then eight on two more seeds.
    assert (fixed["runs"], static["runs"]) == (5 + 3 * 2, 5 + 9 + 2 + 1 + 8 * 2)
    run = found["agents"]["stratified"]["cost"]["charged"]
    assert fixed["flops"] == pytest.approx(fixed["runs"] * run, rel=0.15)
    assert static["deployed"]["10"]["flops"] == pytest.approx(
        static["flops"] + 10 * found["agents"]["best-static-2"]["cost"]["charged"]
    )
    assert found["agents"]["best-fixed"]["task"] in found["tasks"]
    assert found["agents"]["exp3s"]["setup"] is None


def test_controls_replay_the_other_seed(finished: tuple[Path, dict[str, Any]]) -> None:
    out, _ = finished
    config = yaml.safe_load((out / "runs" / "exp3s yoked" / "seed-1" / "config.yaml").read_text())
    assert config["agent"]["path"] == str(out / "runs" / "exp3s" / "seed-0" / "segments.jsonl")
    source = read_rows(out / "runs" / "exp3s" / "seed-0" / "segments.jsonl")
    replayed = read_rows(out / "runs" / "exp3s yoked" / "seed-1" / "segments.jsonl")
    assert replayed[0]["mixture"] == pytest.approx(source[0]["mixture"], abs=0.11)  # ten rows a segment
    config = yaml.safe_load((out / "runs" / "exp3s mean" / "seed-0" / "config.yaml").read_text())
    other = json.loads((out / "runs" / "exp3s" / "seed-1" / "result.json").read_text())["share"]
    assert config["agent"]["shares"] == pytest.approx(list(other.values()))


def test_one_baseline_ends_on_the_signal_split(finished: tuple[Path, dict[str, Any]]) -> None:
    """Four segments of two updates, the last of them on the signal split alone."""
    out, found = finished
    entry = found["agents"]["stratified-finetune"]
    assert entry["tasks"] == [*found["tasks"], "star.signal.causal_lm"]
    assert entry["sees_target"] and entry["feedback"] == "none"
    assert found["agents"]["stratified"]["tasks"] == found["tasks"]
    assert "star.signal.causal_lm" in (out / "compare.html").read_text()
    mine, theirs = (
        read_rows(out / "runs" / label / "seed-1" / "segments.jsonl") for label in ("stratified-finetune", "stratified")
    )
    assert [row["mixture"][-1] for row in mine] == [0, 0, 0, 1]
    for row, other in list(zip(mine, theirs, strict=True))[:3]:
        assert row["score"] == other["score"] and row["mixture"][:-1] == other["mixture"]
    assert mine[-1]["ledger"] == theirs[-1]["ledger"]


def test_a_directory_without_a_newer_key_is_still_the_same(small: dict[str, Any], tmp_path: Path) -> None:
    options: dict[str, Any] = {"seeds": 1, "baselines": False, "quiet": True, "out": tmp_path / "out"}
    compare(small, "stratified", **options)
    file = tmp_path / "out" / "environment.yaml"
    content = yaml.safe_load(file.read_text())
    del content["target"]["train"]
    file.write_text(yaml.safe_dump(content))
    compare(small, "stratified", **options)
    with pytest.raises(ConfigError, match=r"was begun with target.train=False, not True"):
        compare(small, "stratified", overrides={"target.train": True}, **options)


def test_a_crash_is_a_row(finished: tuple[Path, dict[str, Any]]) -> None:
    _, found = finished
    runs = found["agents"]["fixed:task=9"]["runs"]
    assert [run["status"] for run in runs] == ["crashed", "crashed"]
    assert "task: 9 must be in [0, 5)" in runs[0]["error"]
    (row,) = [row for _, rows in tables.tables(found)[0].groups for row in rows if row[0] == "fixed:task=9"]
    assert "2 of 2 seeds did not finish" in row[1]
    assert "task: 9 must be in [0, 5)" in page.html(found)


def test_sentences_claim_no_more_than_was_proven(finished: tuple[Path, dict[str, Any]]) -> None:
    _, found = finished
    (sentence,) = verdict(found)
    pair = found["agents"]["exp3s"]["figures"]["target_loss"]["against"]["stratified"]
    size = f"{abs(pair['difference']['mean']):.3f} nats"
    assert f"{size} {'below' if pair['difference']['mean'] < 0 else 'above'} stratified (not proven)" in sentence
    ten = json.loads(json.dumps(found))
    for reference in ("stratified", "em-prior"):
        proven = {"difference": {"mean": -0.2, "low": -0.3, "high": -0.1}, "holm": 0.004}
        ten["agents"]["exp3s"]["figures"]["target_loss"]["against"][reference].update(proven)
    assert verdict(ten)[0].startswith("exp3s ends 0.200 nats below stratified, and ends 0.200 nats below the static")
    ten["agents"]["exp3s"]["sees_target"] = False
    assert "does not see the target" in verdict(ten)[0] and "on all corpora" in verdict(ten)[0]


def test_the_line_that_decides_is_that_of_bigrams(finished: tuple[Path, dict[str, Any]]) -> None:
    out, found = finished
    counted = CountingLosses(**found["baselines"])
    assert found["baselines"] == json.loads((out / "runs/random/seed-0/result.json").read_text())["baselines"]
    assert counted.smoothed < counted.bigram < counted.unigram
    loss = found["agents"]["stratified"]["figures"]["target_loss"]["mean"]
    short = "Stratified does not end below the bigram line: these runs are too short to make claims about."
    for bigram, said in ((loss + 0.1, False), (loss, True), (loss - 0.1, True)):
        line = replace(counted, bigram=bigram, smoothed=loss - 0.2, single=loss - 0.3)
        notes = tables.tables({**found, "baselines": asdict(line)})[0].notes
        assert f"Counting alone reaches: {line}." in notes
        assert (short in notes) == said


def test_the_page_needs_nothing_else(finished: tuple[Path, dict[str, Any]]) -> None:
    out, found = finished
    text = (out / "compare.html").read_text()
    assert not re.search(r"https?://|<script|<link|src=|@import|url\(", text)
    assert text.count("<svg") == 4 + len([one for one in found["agents"].values() if one["curves"]])
    assert "bigram counts" in text
    assert "<svg viewBox" in text and "width=device-width" in text
    hostile = json.loads(json.dumps(found).replace("exp3s", "<b>x&y"))
    assert "<b>x&y" not in page.html(hostile)


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromedriver on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_a_phone_and_a_desk(finished: tuple[Path, dict[str, Any]], tmp_path: Path, width: int) -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path}",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(f"file://{finished[0] / 'compare.html'}")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        smallest = """const drawn = [...document.querySelectorAll('svg text')].filter(t => t.getClientRects().length);
            return Math.min(...drawn.map(t => t.getBoundingClientRect().height))"""
        assert driver.execute_script(smallest) >= 10
        shown = "return [...document.querySelectorAll('.%s')].map(e => e.offsetParent !== null)"
        assert set(driver.execute_script(shown % "narrow")) == {width < 800}
        assert set(driver.execute_script(shown % "wide")) == {width >= 800}
        kinds = {entry["level"] for entry in driver.get_log("browser")}
        assert "SEVERE" not in kinds
    finally:
        driver.quit()


def test_markdown_has_all_tables(finished: tuple[Path, dict[str, Any]]) -> None:
    path, found = finished
    text = (path / "compare.md").read_text(encoding="utf-8")
    for table in tables.tables(found):
        assert f"### {table.title}" in text
        rows = [row for _, group in table.groups for row in group if not is_crash(row)]
        for row in rows:
            assert f"| {' | '.join(row)} |" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in lines)


def test_tensorboard_has_a_run_for_each(finished: tuple[Path, dict[str, Any]]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out, found = finished
    runs = [path.name for path in (out / "tensorboard").iterdir()]
    assert len(runs) == len(found["agents"])
    events = EventAccumulator(str(out / "tensorboard" / "exp3s"))
    events.Reload()
    (point,) = events.Scalars("result/target_loss")
    assert point.value == pytest.approx(found["agents"]["exp3s"]["figures"]["target_loss"]["mean"])
    assert len(events.Scalars("compare/proxy")) == 50


def test_only_what_is_missing_is_run(finished: tuple[Path, dict[str, Any]], settings: dict[str, Any]) -> None:
    out, found = finished
    before = times(out)
    cell = out / "runs" / "em-prior" / "seed-1"
    (cell / "result.json").unlink()
    shutil.rmtree(out / "runs" / "random" / "seed-0")
    again = compare(**settings, out=out)
    after = times(out)
    assert {name for name in before if before[name] != after.get(name)} == {
        "runs/em-prior/seed-1/result.json", "runs/random/seed-0/result.json",
    }  # fmt: skip
    for label in ("em-prior", "random", "exp3s"):
        figures = [one["agents"][label]["figures"] for one in (found, again)]
        assert figures[0] == figures[1]


def test_both_priors_are_what_they_say_whatever_the_environment_names(
    finished: tuple[Path, dict[str, Any]], small: dict[str, Any], tmp_path: Path
) -> None:
    target = {**small["target"], "prior": "js", "divergence": "kl"}
    options: dict[str, Any] = {"out": tmp_path / "out", "seeds": 2, "static_mixtures": 0, "quiet": True}
    found = compare({**small, "target": target}, "auto", baselines=["em-prior", "js-prior"], **options)
    entries = found["agents"]
    assert list(entries) == ["auto", "stratified", "em-prior", "js-prior"]
    losses = {label: [run["target_loss"] for run in entry["runs"]] for label, entry in entries.items()}
    for label in ("em-prior", "js-prior"):
        assert losses[label] == [run["target_loss"] for run in finished[1]["agents"][label]["runs"]]
    shares = {
        label: read_rows(tmp_path / "out" / "runs" / label / "seed-0" / "segments.jsonl")[0]["probabilities"]
        for label in ("auto", "em-prior", "js-prior")
    }
    assert shares["auto"] == pytest.approx(shares["js-prior"])
    assert shares["auto"] != pytest.approx(shares["em-prior"], abs=1e-4)
    assert set(entries["auto"]["figures"]["target_loss"]["against"]) == {"stratified", "em-prior"}
    assert set(entries["em-prior"]["figures"]["target_loss"]["against"]) == {"stratified"}
    # So little text of so few tasks that both fill the batches alike.
    assert losses["auto"] == losses["em-prior"]
    assert verdict(found)[0].endswith("stratified (not proven), and ends exactly where the static EM prior does.")


def test_powers_of_both_priors_are_searched(finished: tuple[Path, dict[str, Any]], small: dict[str, Any]) -> None:
    out, _ = finished
    problem = build(configs.load(small)).problem
    distances = divergence.of_terms(
        "js", problem.target.text["signal"].tokens, [task.corpus.tokens for task in problem.tasks],
        problem.tokenizer.vocab_size,
    )  # fmt: skip
    own = np.array([task.objective.name == problem.target_objective for task in problem.tasks])
    (file,) = (out / "search").glob("named-*.json")
    tried = json.loads(file.read_text())["mixtures"]
    assert tried[0] == [0.2] * 5
    assert tried[1] == pytest.approx(own / own.sum())
    for power, mixture in zip((1, 1.5, 2, 3), tried[2:6], strict=True):
        assert problem.prior is not None
        assert mixture == pytest.approx(problem.prior**power / (problem.prior**power).sum())
    for bits, mixture in zip((0.1, 0.05, 0.02), tried[6:], strict=True):
        weights = np.exp(-distances / bits) * own
        assert mixture == pytest.approx(weights / weights.sum())
    for label, place in (("em-prior", 2), ("js-prior", 6)):
        row = read_rows(out / "runs" / label / "seed-0" / "segments.jsonl")[0]
        assert row["probabilities"] == pytest.approx(tried[place])


def test_time_is_up_and_the_same_command_goes_on(small: dict[str, Any], tmp_path: Path) -> None:
    options: dict[str, Any] = {"out": tmp_path / "out", "seeds": 1, "static_mixtures": 1, "quiet": True}
    found = compare(small, "random", minutes=0, **options)
    assert {run["status"] for entry in found["agents"].values() for run in entry["runs"]} == {"missing"}
    assert not times(tmp_path / "out")
    again = compare(small, "random", baselines=False, **options)
    assert [entry["runs"][0]["status"] for entry in again["agents"].values()] == ["finished", "finished"]


def test_baselines_play_the_same_tasks_where_agents_see_them_renumbered(
    finished: tuple[Path, dict[str, Any]], small: dict[str, Any], tmp_path: Path
) -> None:
    labels = ("target-objective", "em-prior", "js-prior", "best-fixed", "stratified-finetune")
    options: dict[str, Any] = {"seeds": 2, "static_mixtures": 0, "baselines": labels, "quiet": True}
    found = compare(small, "random", out=tmp_path / "out", overrides={"action.permute": True}, **options)
    for label in labels:
        shares, plain = ([run["share"] for run in one["agents"][label]["runs"]] for one in (found, finished[1]))
        assert shares == plain


def test_what_cannot_be_read_counts_as_missing_and_is_run_again(
    finished: tuple[Path, dict[str, Any]], settings: dict[str, Any], tmp_path: Path
) -> None:
    out, found = shutil.copytree(finished[0], tmp_path / "copy"), finished[1]
    before = times(out)
    (out / "runs" / "em-prior" / "seed-1" / "result.json").write_text('{"final": ')
    (out / "runs" / "random" / "seed-1" / "config.yaml").write_text("agent: [")
    rows = out / "runs" / "exp3s" / "seed-0" / "segments.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b'"segment": 1', b'"segment": 2', 1))
    part = next(iter(sorted((out / "search").glob("fixed-*.json"))))
    tried = json.loads(part.read_text())
    part.write_bytes(part.read_bytes()[:40])
    again = compare(**settings, out=out)
    after = times(out)
    assert {name for name in before if before[name] != after[name]} == {
        f"runs/{cell}/result.json" for cell in ("em-prior/seed-1", "random/seed-1", "exp3s/seed-0")
    }
    assert json.loads(part.read_text())["scores"] == tried["scores"]
    for label, one in found["agents"].items():
        assert again["agents"][label]["figures"] == one["figures"]


def test_agents_and_seeds_are_added(small: dict[str, Any], tmp_path: Path) -> None:
    compare(small, "stratified", out=tmp_path / "out", seeds=1, baselines=False, quiet=True)
    before = times(tmp_path / "out")
    found = compare(small, ["sw-ucb", "round-robin"], out=tmp_path / "out", seeds=2, baselines=False, quiet=True)
    after = times(tmp_path / "out")
    assert before.items() < after.items()
    assert len(after) == 6
    assert [len(one["runs"]) for one in found["agents"].values()] == [2, 2, 2]
    assert found["agents"]["sw-ucb"]["headroom"] is None


def test_another_environment_is_refused(
    finished: tuple[Path, dict[str, Any]], settings: dict[str, Any], tmp_path: Path
) -> None:
    out, _ = finished
    with pytest.raises(ConfigError, match=r"out: .* was begun with budget.updates=8, not 9"):
        compare(**settings, out=out, overrides={"budget.updates": 9})
    (tmp_path / "holiday.txt").write_text("photos")
    with pytest.raises(ConfigError, match="is no comparison"):
        compare(**settings, out=tmp_path)


def test_two_processes_refuse_each_other(settings: dict[str, Any], tmp_path: Path) -> None:
    with Directory(tmp_path / "out"), pytest.raises(ConfigError, match=f"written by process {os.getpid()}"):
        compare(**settings, out=tmp_path / "out")
    (tmp_path / "out" / ".lock").write_text('{"pid": 999999, "host": "h", "since": "s"}')  # of one that was killed
    with Directory(tmp_path / "out"):
        pass


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"agents": ""}, "agents: name at least one"),
        ({"agents": "exp4"}, "agents: unknown name 'exp4'; there are: "),
        ({"agents": "exp3s:colour=1"}, "no option 'colour'"),
        ({"agents": "exp3s:step=0"}, "step: 0 must be above 0"),
        ({"agents": "exp3s@here"}, "learns inside its one run"),
        ({"agents": "ppo@nowhere"}, "nowhere holds no agent.zip"),
        ({"seeds": 0}, "seeds: must be at least 1"),
        ({"minutes": -1}, "minutes: must be at least 0"),
        ({"reach": ["d-ts"]}, "reach: must be one of exp3s, fixed:task=9, "),
        ({"decompose": ["d-ts"]}, "decompose: must be one of the agents"),
        ({"seeds": 1}, "at least 2 seeds"),
        (
            {"agents": "stratified-finetune", "decompose": ["stratified-finetune"]},
            "decompose: 'stratified-finetune' trains on the target's signal split",
        ),
        ({"baselines": ["prior"]}, "baselines: must be one of stratified, target-objective, em-prior, "),
        ({"overrides": {"colour": 1}}, "colour: unknown key"),
        ({"overrides": {"agent.step": 1}}, "agents: name:step=value"),
    ],
)
def test_mistakes_are_one_line_and_run_nothing(
    settings: dict[str, Any], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        compare(**{**settings, **changes}, out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_pretrained_agent_is_trained_once_and_played_frozen(small: dict[str, Any], tmp_path: Path) -> None:
    options: dict[str, Any] = {"seeds": 1, "baselines": False, "quiet": True}
    trained = "ppo:n_steps=4:batch_size=64"
    # A quarter of 8 updates does not pay for two readings of the proxy.
    found = compare(small, trained, out=tmp_path / "out", timesteps=64, reach=[trained], **options)
    entry = found["agents"][trained]
    assert entry["section"] == "pretrained"
    assert entry["cost"]["flops"]["proxy"] > 0
    setup = entry["setup"]
    assert setup["kind"] == "training"
    assert setup["runs"] >= 32
    stratified = found["agents"]["stratified"]
    parts = {int(percent) / 100: at["mean"] for percent, at in entry["reach"].items()}
    assert set(parts) == {0.25, 0.33, 0.5}
    assert parts.pop(0.25) is None
    (said,) = failures(found)
    assert said.startswith(f"{trained} at 25 % of the budget crashed: ")
    parts[1.0] = entry["figures"]["target_loss"]["mean"]
    goal = stratified["figures"]["target_loss"]["mean"]
    reached = min((part for part, loss in parts.items() if loss < goal), default=None)
    assert entry["reached"] == reached
    saved = stratified["cost"]["charged"] * (1 - (reached or 1.0))
    assert setup["break_even"] == (pytest.approx(setup["flops"] / saved) if saved else "never")
    folder = tmp_path / "out" / "training" / "ppo%3An_steps=4%3Abatch_size=64"
    given = compare(small, f"ppo@{folder}", out=tmp_path / "two", **options)
    other = given["agents"][f"ppo@{folder}"]
    assert other["runs"][0]["target_loss"] == entry["runs"][0]["target_loss"]
    assert other["setup"]["flops"] == setup["flops"]


def test_a_method_trains_on_its_own_number_of_runs(small: dict[str, Any], tmp_path: Path) -> None:
    changes = {"budget.updates": 60, "signals.every": 4}  # 8 updates do not pay for one measurement
    options: dict[str, Any] = {"seeds": 1, "baselines": False, "quiet": True, "overrides": changes}
    found = compare(small, "doge", out=tmp_path / "out", timesteps=640, **options)
    setup = found["agents"]["doge"]["setup"]
    assert setup["runs"] == 1
    assert setup["flops"] == pytest.approx(found["agents"]["stratified"]["cost"]["charged"], rel=0.2)
    # What it led to is a static mixture, which measures nothing.
    assert set(found["agents"]["doge"]["cost"]["flops"]) - {"report"} == {"train"}


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(small: dict[str, Any], tmp_path: Path) -> None:
    file, out = tmp_path / "env.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump({**small, "budget": {"updates": 120}}))
    where = ["--env", str(file), "--agents", "exp3s,random", "--seeds", "3", "--no-baselines", "--out", str(out)]
    # A shell's background jobs ignore Ctrl-C, and so would what they start.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    start = f"{listen}; from curriculum_rl.scripts.main import main; main()"
    command = [sys.executable, "-c", start, "compare", *where, "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not times(out) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in said.replace("\n", " ")
    assert "Traceback" not in said
    before = times(out)
    assert 0 < len(before) < 9
    compare(file, "exp3s,random", seeds=3, baselines=False, out=out, quiet=True)
    after = times(out)
    assert len(after) == 9
    assert before.items() < after.items()


@pytest.mark.parametrize(
    ("text", "said"), [(b"a\nb\n", "b"), (b"", "seed-0.error.txt is empty"), (b"\xff\n", "\ufffd")]
)
def test_whatever_stands_in_the_file_of_an_error_has_a_last_line(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "seed-0.error.txt").write_bytes(text)
    assert error_of(tmp_path / "seed-0") == said


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "{", "[]", '{"mixtures": []}'])
def test_a_part_of_a_search_that_cannot_be_read_is_tried_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "part.json").write_text(text)
    assert not search.is_there(tmp_path / "part.json")
