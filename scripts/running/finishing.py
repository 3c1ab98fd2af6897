"""What a run leaves behind when it ends: result, schedule, picture, agent, learner, and the lines a person reads."""

from dataclasses import asdict
from statistics import fmean
from typing import Any

from rich.console import Console

from curriculum_rl.durable import naming, sha256, sync
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.pretraining.counting import counting_losses
from curriculum_rl.recording.checkpoints import Checkpoints
from curriculum_rl.recording.learning_curve import learning_curve
from curriculum_rl.recording.pictures import policy_picture
from curriculum_rl.recording.recorder import Recorder, deep_link
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.schema import reading
from curriculum_rl.scripts.running.recording import Recording
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.running.summary import summary

HASHED = ("config.yaml", "agent.zip", "segments.jsonl", "schedule.json")
"""The files whose sha256 stands in `result.json`."""


def result_of(request: Request, env: PretrainingVectorEnv, callback: Recording) -> dict[str, Any]:
    """What `result.json` holds; a run that came to its end has `baselines` besides."""
    experiment = env.experiment
    final = _mean(callback.finals[-env.num_envs :])
    seconds = callback.last.get("seconds", {})
    share = callback.last.get("share", []) if final is None else final["share"]
    # Of the class, so that an error of the property is not taken for its absence.
    model: Any = callback.model
    pruned = model.pruned if hasattr(type(model), "pruned") else []
    remarks = model.remarks if hasattr(type(model), "remarks") else []
    return {
        "agent": request.agent,
        "env": env.config.name,
        "seed": request.seed,
        "protocol": request.entry.protocol,
        "status": "interrupted" if callback.interrupted else "finished",
        "segments": callback.position["segment"],
        "episodes": len(callback.finals),
        "num_envs": env.num_envs,
        "final": final,
        "share": dict(zip(env.tasks, share, strict=False)),
        "pruned": [env.tasks[task] for task in pruned],
        "remarks": list(remarks),
        "tokens": callback.last.get("tokens", 0) * env.num_envs,
        "budget_flops": env.budget,
        "ledger": callback.last.get("ledger", {}),
        "seconds": seconds,
        "wall_seconds": callback.wall,
        "overhead": overhead(seconds),
        "corpora": dict(experiment.hashes),
        "tokenizer": experiment.tokenizer.fingerprint,
        "data": {
            "sha256": experiment.data,
            "overlap": experiment.overlap.counts,
            "corpora": {name: counts.entries() for name, counts in experiment.counts.items()},
        },
        "episode_finals": callback.finals,
    }


def _mean(finals: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The figures of the last run of every replica, averaged entry by entry."""
    if not finals:
        return None
    if len(finals) == 1:
        return finals[0]
    first = finals[0]
    out: dict[str, Any] = {}
    for key, value in first.items():
        column = [final[key] for final in finals]
        if isinstance(value, dict):
            out[key] = {name: fmean(one[name] for one in column) for name in value}
        elif isinstance(value, list):
            out[key] = [fmean(entries) for entries in zip(*column, strict=True)]
        else:
            out[key] = fmean(column)
    return out


def overhead(seconds: dict[str, float]) -> float:
    """Share of the wall seconds, the final report left out, that was not the learner's own updates."""
    whole = sum(value for clock, value in seconds.items() if clock != "report")
    return 1 - seconds["train"] / whole if whole else 0.0


def annotate(recorder: Recorder, request: Request, env: PretrainingVectorEnv, callback: Recording) -> None:
    """Put configuration, summary and hyper-parameters beside the curves."""
    result = result_of(request, env, callback)
    recorder.text("config", f"```yaml\n{reading.dump(request.document(env.config))}\n```")
    recorder.text("summary", _markdown(result))
    if result["final"] is not None:
        metrics = {f"result/{key}": value for key, value in result["final"].items() if isinstance(value, float)}
        settings = {"agent": request.agent, "env": env.config.name, "seed": request.seed}
        recorder.hparams({**settings, **{f"agent.{k}": v for k, v in request.options.items()}}, metrics)


def write_outcome(
    request: Request,
    directory: RunDirectory,
    env: PretrainingVectorEnv,
    agent: Any,
    callback: Recording,
    console: Console,
) -> None:
    """Write everything but the logs, and tell the person where it is."""
    result = result_of(request, env, callback)
    rows = read_rows(directory.path / "segments.jsonl")
    with naming(directory.path / "agent.zip"):
        agent.save(directory.path / "agent.zip")
    if rows:
        whole = [row for row in rows if row["episode"] == rows[-1]["episode"]]
        directory.write_schedule(whole, env.tasks)
        if request.picture:
            policy_picture(rows, env.tasks, directory.path / "policy.png")
            if callback.position["episode"] > env.num_envs:
                learning_curve(rows, env.tasks, directory.path / "learning.png", replicas=env.num_envs)
        learner = directory.path / "learner"
        env.save_learner(learner)
        env.experiment.tokenizer.save(learner)
    result["files"] = {}
    for name in HASHED:
        if (directory.path / name).is_file():
            sync(directory.path / name)
            result["files"][name] = sha256(directory.path / name)
    if callback.interrupted:
        directory.write_json("interrupted.json", result)
        console.print(f"stopped; what was done is in {directory.path} (continue it with --resume)")
        return
    (directory.path / "interrupted.json").unlink(missing_ok=True)
    result["baselines"] = asdict(counting_losses(env.experiment, env.stratified_rows()))
    directory.write_result(result)
    Checkpoints(directory.path).clear()
    if request.summarise:
        console.print(summary([result]))
        for remark in result["remarks"]:
            console.print(f"{request.agent}: {remark}", soft_wrap=True, highlight=False)
        for name, counts in env.experiment.counts.items():
            if remark := counts.remark():
                console.print(f"rows of {name}: {remark}", soft_wrap=True, highlight=False)
        tell_tensorboard(directory.path, console)


def tell_tensorboard(path: Any, console: Console, run: str | None = None) -> None:
    """The line to type, and the link that opens the right view (of `run`, where the path holds several)."""
    console.print(f"\nLook at the policy:  [bold]tensorboard --logdir {path}[/bold]", soft_wrap=True, highlight=False)
    console.print(f"then open  {deep_link(run=run)}", soft_wrap=True, highlight=False)
    console.print("(a favourite's line may leave a chart: untick 'Ignore outliers in chart scaling' in the settings)")


def _markdown(result: dict[str, Any]) -> str:
    lines = ["| figure | value |", "| --- | --- |"]
    shown = {key: result[key] for key in ("agent", "env", "seed", "status", "segments", "tokens", "overhead")}
    final = {key: value for key, value in (result["final"] or {}).items() if isinstance(value, float)}
    for key, value in {**shown, **final}.items():
        lines.append(f"| {key} | {value:.4g} |" if isinstance(value, float) else f"| {key} | {value} |")
    lines += [f"| share {task} | {share:.1%} |" for task, share in result["share"].items()]
    lines += [f"| pruned | {', '.join(result['pruned'])} |"] if result["pruned"] else []
    lines += [f"| remark | {remark} |" for remark in result["remarks"]]
    return "\n".join(lines)
