"""Fitting the masked-LM head with the body frozen, until its loss is flat: the body's own head may be new."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from curriculum_rl.draws import key
from tartan_arms.model import put_back
from tartan_arms.rows import Ints, masked_batch, picked
from tartan_arms.state import Run

IN_DOMAIN = ("tapt", "dapt")
CHECKED = 64
"""Rows that are masked once and held out: their loss says when the head is flat."""


@dataclass(frozen=True)
class Fit:
    """How the head was fitted.

    Attributes:
        updates: how many.
        losses: nats on the held-out rows, before and at every look.
        flat: whether the last look fell by less than the tolerance.
        tokens: read for it.
        flops: spent on it.
    """

    updates: int
    losses: list[float]
    flat: bool
    tokens: int
    flops: float


def ensure_lm_head(run: Run, file: Path | None = None) -> Fit:
    """Fit the head, or read what an earlier run with the same seed fitted, and charge it either way.

    Args:
        run: before its first update.
        file: where the head is kept; None: nowhere.
    """
    if file is not None and file.exists():
        fit = _read(run, file)
        run.ledger.charge("train", tokens=fit.tokens, flops=fit.flops)
        return fit
    tokens, flops = run.ledger.tokens["train"], run.ledger.flops["train"]
    updates, losses, flat = _fit(run)
    fit = Fit(updates, losses, flat, run.ledger.tokens["train"] - tokens, run.ledger.flops["train"] - flops)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        tensors = {str(n): p.detach().cpu().contiguous() for n, p in enumerate(run.model.lm_only)}
        part = file.with_suffix(".part")
        save_file(tensors, part, metadata={"fit": json.dumps(asdict(fit))})
        part.replace(file)
    return fit


def _read(run: Run, file: Path) -> Fit:
    with safe_open(file, framework="pt") as opened:
        put_back(run.model.lm_only, [opened.get_tensor(str(n)).to(run.device) for n in range(len(run.model.lm_only))])
        return Fit(**json.loads(opened.metadata()["fit"]))


def _fit(run: Run) -> tuple[int, list[float], bool]:
    """Updates, losses at the looks, whether it is flat."""
    settings, model = run.settings, run.model
    texts = np.concatenate([run.problem.texts[name] for name in IN_DOMAIN if name in run.problem.texts])
    order = picked(run.seed, "lm head", 0, len(texts), len(texts))
    held = min(CHECKED, len(order) // 2)
    check = _frozen(run, texts[order[:held]], "lm head check", 0)
    rows = texts[order[held:]]
    model.start_lm_head(torch.from_numpy(np.bincount(rows.ravel(), minlength=run.problem.tokenizer.vocab_size)))
    optimizer = torch.optim.AdamW(model.lm_only, lr=settings.lm_head_rate, weight_decay=0.0)
    losses = [_checked(run, check)]
    for update in range(settings.lm_head_updates):
        first = update * settings.batch
        chosen = picked(run.seed, "lm head rows", first, settings.batch, len(rows))
        states, targets = _frozen(run, rows[chosen], "lm head masks", first)
        slopes = torch.autograd.grad(model.masked_loss_of(states, targets), model.lm_only)
        for parameter, slope in zip(model.lm_only, slopes, strict=True):
            parameter.grad = slope
        optimizer.step()
        run.ledger.charge("train", tokens=0, flops=3 * model.flops_lm * len(targets))
        if (update + 1) % settings.lm_head_every == 0:
            losses.append(_checked(run, check))
            if losses[-2] - losses[-1] < settings.lm_head_tolerance * losses[-2]:
                break
    optimizer.zero_grad(set_to_none=True)
    flat = len(losses) > 1 and losses[-2] - losses[-1] < settings.lm_head_tolerance * losses[-2]
    return update + 1, losses, flat


@torch.no_grad()
def _frozen(run: Run, rows: Ints, stream: str, first: int) -> tuple[Tensor, Tensor]:
    """(S, d) states of the body at hidden places, and (S,) what is hidden."""
    batch = masked_batch(rows, run.problem.tokenizer, key(run.seed, "tartan", stream), first, run.device)
    run.ledger.charge("train", tokens=batch.ids.numel(), flops=run.model.flops_body * batch.ids.numel())
    return run.model.states(batch.ids).flatten(0, 1)[batch.places], batch.targets


@torch.no_grad()
def _checked(run: Run, check: tuple[Tensor, Tensor]) -> float:
    states, targets = check
    run.ledger.charge("train", tokens=0, flops=run.model.flops_lm * len(targets))
    return float(run.model.masked_loss_of(states, targets))
