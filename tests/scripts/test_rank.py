"""`curriculum-rl rank` as a person uses it: tables, files, a learner of one's own, and one line for a mistake."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from curriculum_rl.experiment import Experiment
from curriculum_rl.learners.build import make_learner
from curriculum_rl.ranking.ranking import MEASURES
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.main import main
from curriculum_rl.text.tokenizers import train_bpe

TERMS = "js,kl,renyi,bhattacharyya,cosine"


@pytest.fixture
def file(tiny: dict[str, Any], tmp_path: Path) -> str:
    path = tmp_path / "env.yaml"
    path.write_text(yaml.safe_dump(tiny))
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", "rank", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_all_measures(run: Any, file: str, tmp_path: Path) -> None:
    out = tmp_path / "made" / "rank"
    status, printed, err = run("--env", file, "--out", str(out), "--rows", "16")
    assert status == 0, err
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    for measure in MEASURES:
        assert measure in printed
    assert Image.open(out / "ranking.png").width > 1000
    content = json.loads((out / "ranking.json").read_text())
    assert list(content["measures"]) == list(MEASURES)
    js = content["measures"]["js"]
    assert js["rank"]["star.causal_lm"] == js["rank"]["star.masked_lm"] == 1.5
    assert "star.causal_lm" not in js["left_out"]
    assert len(js["left_out"]) == 2  # 40 % of five tasks
    assert content["agreement"]["js"]["js"] == pytest.approx(1)
    assert list(content["priors"]) == ["em", "js"] and not {"em", "prior"} & content["measures"].keys()
    for shares in content["priors"].values():
        assert sum(shares.values()) == pytest.approx(1) and max(shares, key=shares.__getitem__) == "star.causal_lm"
    priors = printed.split("no divergences but priors")[1].split("\n")
    assert priors[1].split() == ["task", "em", "js"] and priors[2].startswith("star.causal_lm")


def test_term_measures_need_no_learner(
    run: Any, file: str, tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curriculum_rl.ranking.ranking.make_learner", None)
    path = tmp_path / "figures.json"
    assert run("--env", file, "--measure", TERMS, "--json", str(path))[0] == 0
    content = json.loads(path.read_text())
    assert content["learner"] is None
    values = [content["measures"]["js"]["divergence"][task.name] for task in experiment.problem.tasks]
    assert values == experiment.problem.divergence.tolist()


def test_the_learner_of_a_run(run: Any, file: str, tmp_path: Path, experiment: Experiment) -> None:
    learner = make_learner(experiment.config, experiment.problem)
    learner.reset([77])
    learner.save(tmp_path / "run" / "learner")
    figures = []
    for chosen in ([], ["--learner", str(tmp_path / "run")], ["--learner", str(tmp_path / "run" / "learner")]):
        path = tmp_path / "figures.json"
        assert run("--env", file, "--measure", "mmd", "--json", str(path), *chosen)[0] == 0
        figures.append(json.loads(path.read_text())["measures"]["mmd"]["divergence"])
    assert figures[1] == figures[2] != figures[0]


def test_the_setting_of_the_environment(run: Any, file: str, tmp_path: Path, tiny: dict[str, Any]) -> None:
    assert configs.load(tiny).target.divergence == "js"
    assert run("--env", file, "--measure", "js", "--set", "target.divergence=kl")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--measure", "js,foo"], "measure: must be some of js, kl"),
        (["--measure", "js,js"], "names one twice"),
        (["--measure", ""], "measure: must be some of js"),
        (["--learner", "nowhere"], "learner: 'nowhere' holds no learner"),
        (["--out", "{file}"], "is a file, not a folder"),
        (["--json", "{folder}"], "is a folder, not a file"),
        (["--set", "target.divergence=foo"], "target.divergence"),
    ],
)
def test_a_mistake_is_one_line(run: Any, file: str, arguments: list[str], message: str) -> None:
    given = [argument.format(file=file, folder=Path(file).parent) for argument in arguments]
    status, printed, err = run("--env", file, *given)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not printed


def test_the_learner_of_another_tokenizer(run: Any, file: str, tmp_path: Path, experiment: Experiment) -> None:
    folder = tmp_path / "run" / "learner"
    make_learner(experiment.config, experiment.problem).save(folder)
    experiment.tokenizer.save(folder)
    assert run("--env", file, "--learner", str(tmp_path / "run"), "--measure", "mmd")[0] == 0
    train_bpe(["other words"], vocab_size=400, labels=4).save(folder)
    status, _, err = run("--env", file, "--learner", str(tmp_path / "run"), "--measure", "mmd")
    assert status == 2
    assert "another tokenizer" in err
