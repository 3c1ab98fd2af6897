"""The native learner: N small transformers in one set of tensors, trained by one program.

Shapes: k updates, N replicas, B rows, T tokens, d width, C labels, V vocabulary.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import log, prod
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.batch import Batch, Inner, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.alignment import GradientProducts, gradient_products
from curriculum_rl.learners.base import check_plan, for_all_replicas, rows_to_reset, segment_report
from curriculum_rl.learners.flat import FlatLearner, FlatParams
from curriculum_rl.learners.memory import fitting
from curriculum_rl.learners.native.capture import CapturedUpdates, Segment, Trainee
from curriculum_rl.learners.native.dropout import step_keys
from curriculum_rl.learners.native.ghost import Ghosts
from curriculum_rl.learners.native.inner import inner_report, inner_updates
from curriculum_rl.learners.native.linear_ce import chunk_rows
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.native.reading import Reader
from curriculum_rl.learners.native.transformer import (
    TransformerConfig,
    forward_flops,
    initialise,
    shapes,
    tapped_matrices,
)
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.native.weighted import check_weighted, weighted_updates
from curriculum_rl.learners.optimizer import adamw, clip_by_norm
from curriculum_rl.learners.precision import product_dtype, products, resolved
from curriculum_rl.learners.scoring import Outline, among, common_outline, outlines, token_weights
from curriculum_rl.learners.seals import sealed
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema.learners import Execution, OptimizerConfig, TransformerLearner, TransformerShape
from curriculum_rl.text.tokenizers import Tokenizer


class BatchedLearner(FlatLearner):
    """N transformers, trained side by side from their own seeds on their own rows.

    On a CPU with one thread a replica's bits do not depend on how many neighbours it has, on what they train or on when
    they are reset. Construction initialises the replicas with the seeds 0 to N - 1; `reset` gives them others.

    Args:
        config: size of each transformer.
        optimizer: AdamW's settings, and the loss that marks a replica as not finite; rates stand in the plan.
        replicas: N, at least 1.
        pad_id: the padding token: bidirectional rows never read it, `features` leaves it out.
        device: where parameters and computation are.
        execution: how the arithmetic is run.

    Raises:
        ConfigError: for values out of range, what the device cannot do, or what does not fit in its memory.
    """

    causal_rows = True
    bidirectional_rows = True

    def __init__(
        self,
        config: TransformerConfig,
        optimizer: OptimizerConfig | None = None,
        *,
        replicas: int = 1,
        pad_id: int,
        device: torch.device | str = "cpu",
        execution: Execution | None = None,
    ) -> None:
        if not 0 <= pad_id < config.vocab_size:
            raise wrong("pad_id", pad_id, f"in [0, vocab_size={config.vocab_size})")
        self.config = config
        self.optimizer = OptimizerConfig() if optimizer is None else optimizer
        self.replicas = replicas
        self.context = config.context
        self.vocab_size = config.vocab_size
        self.device = torch.device(device)
        execution = Execution() if execution is None else execution
        self.precision = resolved(execution.precision, self.device)
        if execution.capture and self.device.type != "cuda":
            raise ConfigError(f"learner.capture: CUDA graphs need a CUDA device (got {device})")
        what = f"a learner of {replicas} replicas x {config.layers} layers x width {config.width}"
        with fitting(what, "lower the replicas (num_envs), learner.width, learner.layers or the vocabulary"):
            self.flat = FlatParams(shapes(config), replicas=replicas, device=self.device)
            self.reset(range(replicas))
        leaves = {name: block.detach().requires_grad_() for name, block in self.flat.parameters.items()}
        network = Network(config, pad_id, product_dtype(self.precision), compile=execution.compile)
        self._trainee = Trainee(network, leaves, self.flat, self.optimizer)
        self._reader = Reader(network, self.flat.parameters, self.device)
        self._captured = CapturedUpdates(self._trainee) if execution.capture else None

    @classmethod
    def build(cls, section: TransformerLearner, config: EnvConfig, tokenizer: Tokenizer, *, replicas: int) -> Self:
        """N learners as an environment file says, not yet reset."""
        return cls(
            TransformerConfig(
                vocab_size=tokenizer.vocab_size, context=config.context, **section.settings(TransformerShape)
            ),
            config.optimizer,
            replicas=replicas,
            pad_id=tokenizer.pad_id,
            device=config.device,
            execution=section,
        )

    @property
    def _explosion(self) -> float:
        return self.optimizer.explosion * log(self.vocab_size)

    @property
    def pad_id(self) -> int:
        """The padding token."""
        return self._trainee.network.pad_id

    def reset(self, seeds: Sequence[int], rows: Sequence[int] | None = None) -> None:
        """Fresh parameters from their own seeds and new optimizers for all replicas or only those in `rows`."""
        chosen = rows_to_reset(seeds, rows, self.replicas)
        initialise(self.flat.parameters, self.config, seeds, chosen)
        self.flat.reset_optimizer(None if rows is None else chosen)
        self.flat.seeds[chosen] = seeds

    def train(self, plan: SegmentPlan) -> SegmentReport:
        """Make k updates of every replica; the device is waited for before the first and after the last.

        A replica that is marked not finite in the report has undefined parameters: put it back with `restore`.

        Raises:
            ConfigError: where the segment does not fit in memory; the learner is as it was before.
        """
        parts = self.optimizer.accumulate
        check_plan(self, plan, accumulate=parts)
        with self._fitting(plan.batches, "train", parts), self.flat.undone_on_failure(), products(self.precision):
            todo = outlines(plan.batches, parts=parts, chunk=chunk_rows(self.device))
            row_losses, norms, ghosts = self._updates(self._segment(plan), todo, plan)
            return segment_report(row_losses, norms, self._explosion, ghosts)

    def _updates(
        self, segment: Segment, todo: list[Outline], plan: SegmentPlan
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The (k, N, B) losses, the (k, N) gradient norms and, with a probe, the (k, N, B) ghosts of k updates."""
        if self._captured is not None and plan.label_ids is None:
            return *self._captured(segment, common_outline(todo)), None
        row_losses, norms, ghosts = [], [], []
        smoothing = self.optimizer.label_smoothing
        label_ids = None if plan.label_ids is None else plan.label_ids.to(self.device)
        for i, outline in enumerate(todo):
            batch, shares, keys = segment.batches[i], segment.shares[i], segment.keys[i]
            trainee = self._trainee
            probes = self._probes(plan, i)
            slopes, losses, met = gradients(
                trainee.network,
                trainee.leaves,
                batch,
                shares,
                outline,
                smoothing=smoothing,
                keys=keys,
                probes=probes,
                label_ids=label_ids,
            )
            unseen = torch.from_numpy(self.flat.steps == 0).to(self.device)[:, None]
            ghosts.append(torch.full_like(losses, torch.nan) if met is None else met.masked_fill(unseen, torch.nan))
            norms.append(clip_by_norm(slopes, self.optimizer.clip))
            adamw(self.flat, slopes, plan.learning_rates[i], self.optimizer)
            row_losses.append(losses)
        return torch.stack(row_losses), torch.stack(norms), None if plan.probe is None else torch.stack(ghosts)

    def _probes(self, plan: SegmentPlan, update: int) -> dict[str, Tensor] | None:
        """What the rows' gradients are multiplied with in an update."""
        if plan.probe is None or not plan.probe.updates[update] or not self.flat.steps.any():
            return None
        ghosts = Ghosts(plan.probe.gradients, self.flat.second, self.optimizer.betas[1], self.optimizer.eps)
        return ghosts.probes(torch.from_numpy(self.flat.steps).to(self.device))

    def _segment(self, plan: SegmentPlan) -> Segment:
        batches = among(plan.batches, plan.label_ids).to(self.device)
        k, N = plan.learning_rates.shape
        keys = torch.zeros(k, N, dtype=torch.int64)
        if self.config.dropout:
            keys = step_keys(self.flat.seeds, self.flat.steps, k)
        rates = torch.tensor(plan.learning_rates, dtype=torch.float64)
        return Segment(batches, token_weights(batches.weights), rates.to(self.device), keys.to(self.device))

    def _fitting(self, batch: Batch, verb: str, parts: int = 1) -> AbstractContextManager[None]:
        rows, tokens = batch.input_ids.shape[-2:]
        what = f"what it takes to {verb} {self.replicas} replicas on {rows} rows of {tokens} tokens, {parts} part(s)"
        return fitting(what, "lower batch, context or the replicas (num_envs), or raise optimizer.accumulate")

    def refuses_inner(self, order: int) -> str:
        """Why its updates cannot look through inner steps of that order, with the setting to change."""
        if self.captured:
            return "learner.capture records plain updates: switch it off"
        if order == 2 and self.optimizer.accumulate > 1:
            return "optimizer.accumulate must be 1, the inner steps of all rows are one graph"
        return ""

    def train_inner(self, plan: SegmentPlan, inner: Inner) -> SegmentReport:
        """Make k updates of every replica, each through inner steps; otherwise as `train`.

        Args:
            plan: its batches are (k m, N, B, T).
            inner: the inner steps.

        Raises:
            ConfigError: where the segment does not fit in memory; the learner is as it was before.
        """
        parts = self.optimizer.accumulate
        check_plan(self, plan, accumulate=parts, inner=inner)
        if plan.label_ids is not None:
            raise ValueError("plan.label_ids: inner steps of the native learner do not know them")
        with self._fitting(plan.batches, "train", parts), self.flat.undone_on_failure(), products(self.precision):
            row_losses, norms = inner_updates(self._trainee, plan, inner, self.device)
            return inner_report(row_losses, norms, self._explosion, inner)

    def refuses_weighted(self) -> str:
        """Why its updates cannot weigh the losses of several batches, with the setting to change."""
        return "learner.capture records plain updates: switch it off" if self.captured else ""

    def train_weighted(self, plan: SegmentPlan, weights: npt.NDArray[np.float64]) -> SegmentReport:
        """`train` with updates on the weighted gradients of m batches each; see `WeightedLearner`.

        Raises:
            ConfigError: where the segment does not fit in memory; the learner is as it was before.
        """
        parts = self.optimizer.accumulate
        check_weighted(self, plan, weights, accumulate=parts)
        with self._fitting(plan.batches, "train", parts), self.flat.undone_on_failure(), products(self.precision):
            done = weighted_updates(self._trainee, plan, weights, self.device)
            return done.report(self._explosion, weights)

    def token_losses(self, batch: Batch) -> Tensor:
        """(N, B, T) nats of each scored token and 0 elsewhere, without gradient."""
        with self._fitting(batch, "score"), products(self.precision):
            return self._reader.token_losses(for_all_replicas(self, batch))

    def features(self, batch: Batch) -> Tensor:
        """(N, B, d) mean of the last hidden state over each row's tokens that are not padding, without gradient."""
        with self._fitting(batch, "read"), products(self.precision):
            return self._reader.features(for_all_replicas(self, batch))

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position, without gradient."""
        with self._fitting(batch, "read"), products(self.precision):
            return self._reader.label_logits(for_all_replicas(self, batch), label_ids)

    def tag_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, T, C) logits of the tokens `label_ids` (C,) at every position, without gradient."""
        with self._fitting(batch, "read"), products(self.precision):
            return self._reader.tag_logits(for_all_replicas(self, batch), label_ids)

    def gradient_products(self, batches: Batch) -> GradientProducts:
        """Inner products of the gradients of G batches with leading dimensions (G, N); nothing is trained."""
        trainee = self._trainee
        with self._fitting(batches, "compare gradients of"), products(self.precision):
            todo = outlines(batches, parts=1, chunk=chunk_rows(self.device))
            here = batches.to(self.device)
            shares = token_weights(here.weights)
            slopes = [
                gradients(trainee.network, trainee.leaves, here[i], shares[i], outline).slopes
                for i, outline in enumerate(todo)
            ]
            moments, steps = self.flat.second, torch.from_numpy(self.flat.steps)
            return gradient_products(slopes, moments, steps, beta=self.optimizer.betas[1], eps=self.optimizer.eps)

    def probe(self, batch: Batch) -> dict[str, Tensor]:
        """(N, in, out) by name, gradients of the tapped matrices on an (N, B, T) batch, without dropout."""
        tapped = tapped_matrices(self.config)
        leaves = {name: leaf if name in tapped else leaf.detach() for name, leaf in self._trainee.leaves.items()}
        with self._fitting(batch, "probe"), products(self.precision):
            (outline,) = outlines(Batch(*(t[None] for t in batch.tensors())), parts=1, chunk=chunk_rows(self.device))
            here = batch.to(self.device)
            return gradients(self._trainee.network, leaves, here, token_weights(here.weights), outline).slopes

    def ghost_flops(self, tokens: int) -> float:
        """What the ghosts of that many tokens add to their training: one more product for each tapped matrix."""
        return tokens * sum(2.0 * prod(shapes(self.config)[name]) for name in tapped_matrices(self.config))

    @property
    def captured(self) -> bool:
        """Whether updates are recorded ones, which see no ghosts."""
        return self._captured is not None

    def flops(self, tokens: int, *, training: bool) -> float:
        """Floating-point operations of that many tokens of one learner; training counts 3 forward passes.

        Full rows and all positions scored: what is charged is the work asked for, not what a kernel may skip.
        """
        return forward_flops(self.config, tokens) * (3 if training else 1)

    @sealed
    def save(self, directory: Path, *, optimizer: bool = False) -> None:
        """Write `learner.json`, `learner.safetensors` and, if asked, `optimizer.safetensors` into a directory."""
        self.flat.save(directory, optimizer=optimizer)
        description = {
            "kind": "native",
            "config": self.config.model_dump(),
            "optimizer": self.optimizer.model_dump(),
            "replicas": self.replicas,
            "pad_id": self.pad_id,
        }
        (directory / "learner.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
