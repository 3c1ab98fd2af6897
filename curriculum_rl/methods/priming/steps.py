"""AdamW on the parts of a tagger, and one step of it."""

import torch

from curriculum_rl.methods.priming.settings import Settings
from curriculum_rl.methods.priming.tagger import Tagger


def adamw(tagger: Tagger, settings: Settings, *, initial: bool) -> torch.optim.AdamW:
    """For the outer update: the backbone and, if asked for, the initial PE parameters and head."""
    groups = [{"params": list(tagger.body.values()), "lr": settings.outer_rate}]
    if initial:
        groups.append({"params": list(tagger.light.values()), "lr": settings.light_rate})
    return _with_peaks(groups)


def adamw_for_tuning(tagger: Tagger, settings: Settings, *, full: bool) -> torch.optim.AdamW:
    """For the target: PE parameters and head and, if asked for, the backbone."""
    groups = [{"params": list(tagger.light.values()), "lr": settings.tune_rate}]
    if full:
        groups.append({"params": list(tagger.body.values()), "lr": settings.full_rate})
    return _with_peaks(groups)


def step(optimizer: torch.optim.AdamW, share: float, clip: float) -> None:
    """Clip the gradients and step at a share of every group's highest rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], clip)
    optimizer.step()


def _with_peaks(groups: list[dict[str, object]]) -> torch.optim.AdamW:
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    for group in optimizer.param_groups:
        group["peak"] = group["lr"]
    return optimizer
