"""`curriculum-rl audit`: what can be said of an environment before anything is trained on it."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from curriculum_rl.errors import ConfigError, cut
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.audit import MOST, Audit, audit
from curriculum_rl.pretraining.prices import RETURN, ProxyPrice
from curriculum_rl.priors.calibration import Prediction, calibrated
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.tables import print_line, print_table

FORMAT = 1
"""Of the file that is written."""


def show(env: str, *, overrides: Mapping[str, Any] | None = None, out: Path | None = None) -> dict[str, Any]:
    """Audit an environment, print what was found, and write it if asked.

    Args:
        env: its name or file.
        overrides: values of the environment by dotted key.
        out: the file that is written; None: none.

    Raises:
        ConfigError: for a wrong environment, or a target whose signal split is too short.
    """
    torch.set_num_threads(1)
    if out is not None and out.is_dir():
        raise ConfigError(f"out: {str(out)!r} is a folder, not a file")
    experiment = build(configs.load(env, overrides))
    found = audit(experiment)
    entries = content(experiment, found)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    console = Console()
    _print_tables(console, cut(experiment.config.name), found)
    for line in (*_sentences(experiment, found), *([] if out is None else [f"wrote {out}"])):
        print_line(console, line)
    return entries


def content(experiment: Experiment, found: Audit) -> dict[str, Any]:
    """What `audit.json` holds; numbers that could not be had are null."""
    tasks = [task.name for task in experiment.problem.tasks]
    return {
        "format": FORMAT,
        "env": experiment.config.name,
        "data": experiment.data,
        "target": experiment.problem.target.name,
        "budget": {"flops": found.budget, "updates": found.updates},
        "priors": {
            name: {
                "shares": dict(zip(tasks, one.shares.tolist(), strict=True)),
                "effective_texts": one.effective,
                "predicted_gain": one.gain.entries(),
            }
            for name, one in found.priors.items()
        },
        "scheduling_can_help": _first(found).can_help,
        "passes": {name: {"even": even, "prior": weighed} for name, (even, weighed) in found.passes.items()},
        "signals": {
            name: {
                "flops_of_a_segment": _number(one.flops),
                "share_of_budget": _number(one.share),
                "must_bring": _number(one.needed),
                "reason": one.reason,
            }
            for name, one in found.signals.items()
        },
        "proxy": {
            "share_of_budget": found.proxy.share,
            "noise": _number(found.proxy.noise),
            "readings": found.proxy.readings,
        },
        "cost": {"flops": found.flops, "share_of_budget": found.flops / found.budget},
    }


def _first(found: Audit) -> Prediction:
    """The predicted gain of the environment's own prior."""
    return next(iter(found.priors.values())).gain


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _print_tables(console: Console, env: str, found: Audit) -> None:
    """Gains of priors, passes over texts, prices of signals."""
    gains = []
    for name, one in found.priors.items():
        gain = one.gain
        numbers = (f"{value:+.3f}" for value in (gain.nats, gain.low, gain.high, gain.counted.nats))
        gains.append((name, *numbers, f"{one.effective:.1f} of {len(found.passes)}"))
    title = f"{env}: what a static mixture gains over an even one, nats per token of the target"
    print_table(console, title, ("prior", "predicted", "from", "to", "counted", "texts it amounts to"), gains)
    passes = [(cut(name), f"{even:.2f}", f"{weighed:.2f}") for name, (even, weighed) in found.passes.items()]
    columns = ("text", "even", next(iter(found.priors)))
    print_table(console, f"passes over each text in {found.updates:,} updates", columns, passes)
    prices = [
        (cut(name), *(("not here", "") if one.reason else (f"{one.share:.1%}", f"{one.needed:.3f}")))
        for name, one in found.signals.items()
    ]
    title = f"price of a signal, and the nats that it must bring ({RETURN:g} x its share)"
    print_table(console, title, ("signal", "share of the budget", "must bring"), prices)


def _sentences(experiment: Experiment, found: Audit) -> Sequence[str]:
    """What the tables do not say."""
    target = experiment.problem.target_objective
    others = sorted({task.objective.name for task in experiment.problem.tasks} - {target})
    share = found.flops / found.budget
    said = [
        "counting was scored on halves of the target's signal split that it had not seen; "
        + calibrated(_first(found).error),
        *(f"{name}: {one.reason}" for name, one in found.signals.items() if one.reason),
        *([f"tasks under {', '.join(others)} count as if they were under {target}"] if others else []),
        _proxy(found.proxy),
        f"this audit cost at most {found.flops:.2g} FLOPs, {share:.1%} of one run"
        + (f", more than the {MOST:.0%} that it may: the run is very small" if share > MOST else ""),
    ]
    verdict = f"{next(iter(found.priors))}: predicted gain {_first(found).words}"
    return [*said, verdict]


def _proxy(proxy: ProxyPrice) -> str:
    price = f"the proxy: {proxy.share:.1%} of the budget where an agent pays for it"
    if not proxy.readings:
        return f"{price}; its noise was not measured, which would cost more than an audit may"
    return f"{price}; standard deviation of a reading {proxy.noise:.4f} (an untrained learner, {proxy.readings} draws)"
