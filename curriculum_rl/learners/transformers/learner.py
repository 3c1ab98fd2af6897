"""Learners around any `transformers` model for causal or masked language modelling.

Shapes: k updates, N replicas, B rows, T tokens, M = B T positions, d width, C labels, V vocabulary.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import Tensor

from curriculum_rl.batch import Batch, Inner, Part, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.alignment import GradientProducts, gradient_products
from curriculum_rl.learners.base import check_plan, for_all_replicas, rows_to_reset
from curriculum_rl.learners.flat import FlatLearner, FlatParams, read_tensors
from curriculum_rl.learners.memory import fitting
from curriculum_rl.learners.native.inner import inner_report
from curriculum_rl.learners.native.weighted import check_weighted
from curriculum_rl.learners.precision import products, resolved
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.learners.seals import sealed
from curriculum_rl.learners.transformers import models as hf_models
from curriculum_rl.learners.transformers.configured import reads_of
from curriculum_rl.learners.transformers.inner import InnerUpdates
from curriculum_rl.learners.transformers.leaks import check_leaks
from curriculum_rl.learners.transformers.light import Light, attach, fresh, require_light
from curriculum_rl.learners.transformers.network import HFNetwork
from curriculum_rl.learners.transformers.vocabularies import check_vocabulary
from curriculum_rl.learners.transformers.weighted import WeightedUpdates, joined
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import learners as sections
from curriculum_rl.text.tokenizers import Tokenizer

# Positions whose loss is taken are rounded up to this many.
CHUNK = 64
LIGHT_FILE = "light.safetensors"


class TransformersLearner(FlatLearner):
    """N copies of one `transformers` model as learners, trained and scored one after the other.

    Unlike the native learner's, the replicas are looped: N of them take N times as long as one. There is one module,
    whose parameters become views of each replica's part of a flat buffer in turn. No CUDA graph is captured: what a
    model of any kind does on the host while it runs cannot be recorded. Construction gives every replica the weights of
    seed 0; `reset` gives them others.

    Args:
        model: a configuration (`{"model_type": "llama", "hidden_size": 64, ...}`: fresh weights from the seed), a local
            directory or a hub name (its weights; safetensors only, remote code is never run).
        optimizer: AdamW's settings, and the loss that marks a replica as not finite; rates stand in the plan, and
            vectors (biases, gains) are not decayed.
        head: `causal` reads rows from left to right, `masked` in both directions, which is tried (`check_leaks`); rows
            of the other kind are refused.
        tokenizer: the embedding is resized to its `vocab_size`.
        context: T, the longest row; the model is tried on one such row at once.
        replicas: N, at least 1.
        device: where the model is.
        options: attention, dropout, gradient checkpointing and precision.
        light: added parameters that may be trained alone, and a head for label tokens; None: none.
        loading: what a checkpoint need not hold, and may hold beside; None: nothing.

    Raises:
        ConfigError: for a model that cannot be built, is too short for the context, does not read as its head says or
            does not fit in memory.
    """

    def __init__(
        self,
        model: str | Mapping[str, Any],
        optimizer: sections.OptimizerConfig | None = None,
        *,
        head: sections.Head = "causal",
        tokenizer: hf_models.Vocabulary,
        context: int,
        replicas: int = 1,
        device: torch.device | str = "cpu",
        options: sections.ModelOptions | None = None,
        light: Light | None = None,
        loading: sections.LoadingOptions | None = None,
    ) -> None:
        self.optimizer = sections.OptimizerConfig() if optimizer is None else optimizer
        self.source = model
        self.vocabulary = tokenizer
        self.head = head
        self.context = context
        self.replicas = replicas
        self.vocab_size = tokenizer.vocab_size
        self.device = torch.device(device)
        self.options = sections.ModelOptions() if options is None else options
        self.light = light
        self.loading = loading
        self.precision: sections.Precision = resolved(self.options.precision, self.device)
        self.causal_rows = head == "causal"
        self.bidirectional_rows = head == "masked"
        advice = "lower the replicas (num_envs) or the model's sizes"
        with fitting(f"{replicas} transformers model(s)", advice), reads_of(model):
            built = self._built(seed=0)
            # What each parameter of the body is called, and was called before anything was added.
            self._plain = (
                {name: name for name, _ in built.named_parameters()} if light is None else attach(built, light)
            )
            self.model = built.eval().to(self.device)
            labels = () if light is None else light.labels
            self.network = HFNetwork(self.model, head, tokenizer, self.options, self.precision, self.device, labels)
            self._leaves = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
            self.flat = self._flattened()
            self._flops_per_token = self.network.operations_per_token(context)
            if check_leaks(self.network, context):
                self.network = replace(self.network, whole_rows=True)
        if light is not None:
            self.reset_light([0] * replicas)
        self._label_flops: dict[Part, float] = {}
        self._loaded: dict[str, Tensor] | None = None
        if isinstance(model, str):
            body = self._part("body")
            self._loaded = {self._plain[name]: self.flat.parameters[name][0].cpu().clone() for name in body}

    @classmethod
    def build(
        cls, section: sections.TransformersLearner, config: EnvConfig, tokenizer: Tokenizer, *, replicas: int
    ) -> Self:
        """N learners as an environment file says, not yet reset."""
        light = section.light
        if isinstance(section.model, str):
            check_vocabulary(section.model, tokenizer)
        return cls(
            section.model,
            config.optimizer,
            head=section.head,
            tokenizer=tokenizer,
            context=config.context,
            replicas=replicas,
            device=config.device,
            options=sections.ModelOptions(**section.settings(sections.ModelOptions)),
            light=None if light is None else Light(labels=tokenizer.label_ids, kind=light.kind, **light.settings()),
            loading=sections.LoadingOptions(**section.settings(sections.LoadingOptions)),
        )

    @property
    def _explosion(self) -> float:
        return self.optimizer.explosion * log(self.vocab_size)

    def _built(self, *, seed: int) -> Any:
        return hf_models.build(
            self.source,
            head=self.head,
            vocabulary=self.vocabulary,
            seed=seed,
            options=self.options,
            loading=self.loading,
        ).eval()

    def _flattened(self) -> FlatParams:
        """A flat buffer in which every replica has the model's weights."""
        flat = FlatParams(
            {name: tuple(parameter.shape) for name, parameter in self._leaves.items()},
            replicas=self.replicas,
            device=self.device,
            undecayed=[name for name, parameter in self._leaves.items() if parameter.dim() < 2],
        )
        for name, parameter in self._leaves.items():
            flat.parameters[name].copy_(parameter.detach().expand(self.replicas, *parameter.shape))
        return flat

    def _become(self, replica: int) -> None:
        """Let the module's parameters be those of a replica."""
        for name, parameter in self._leaves.items():
            parameter.data = self.flat.parameters[name][replica]

    def reset(self, seeds: Sequence[int], rows: Sequence[int] | None = None) -> None:
        """Fresh weights from their seeds (a loaded model: its own) and new optimizers for all replicas or `rows`."""
        chosen = rows_to_reset(seeds, rows, self.replicas)
        self.flat.reset_optimizer(None if rows is None else chosen)
        self.flat.seeds[chosen] = seeds
        for n, seed in zip(chosen, seeds, strict=True):
            plain = self._loaded
            if plain is None:
                plain = {name: p.detach() for name, p in self._built(seed=seed).named_parameters()}
            for name in self._part("body"):
                self.flat.parameters[name][n].copy_(plain[self._plain[name]])
            self._renew(n, seed)

    @property
    def has_light(self) -> bool:
        """Whether it has light parameters."""
        return self.light is not None

    def reset_light(self, seeds: Sequence[int]) -> None:
        """Fresh light parameters for all N replicas; everything else stays.

        Raises:
            ConfigError: it has none.
        """
        require_light(self, "reset_light")
        for n, seed in enumerate(seeds):
            self._renew(n, seed)

    def _renew(self, replica: int, seed: int) -> None:
        for name, values in fresh({name: p.shape for name, p in self._part("light").items()}, seed).items():
            self.flat.parameters[name][replica].copy_(values)

    def _factors(self) -> dict[str, float]:
        """The learning rates of light parameters, over that of the body."""
        return {} if self.light is None else dict.fromkeys(self._part("light"), self.light.rate)

    def _part(self, which: Part) -> dict[str, torch.nn.Parameter]:
        """The parameters that a plan means."""
        if which == "all":
            return self._leaves
        return {name: leaf for name, leaf in self._leaves.items() if (name in self._plain) == (which == "body")}

    def train(self, plan: SegmentPlan) -> SegmentReport:
        """Make k updates of one replica after the other; unreadable rows raise ConfigError before the first.

        Raises:
            ConfigError: where the segment does not fit in memory; the learner is as it was before.
        """
        return self.train_inner(plan, Inner(np.zeros(self.replicas, np.int64), batches=1, rate=0.0))

    def refuses_inner(self, order: int) -> str:
        """Why its updates cannot look through inner steps of that order, with the setting to change."""
        if order == 2 and self.optimizer.accumulate > 1:
            return "optimizer.accumulate must be 1, the inner steps of all rows are one graph"
        if order == 2 and self.options.gradient_checkpointing:
            return "learner.gradient_checkpointing keeps no graph: switch it off"
        return ""

    def train_inner(self, plan: SegmentPlan, inner: Inner) -> SegmentReport:
        """`train` with updates that look through inner steps; the plan's batches are (k m, N, B, T).

        Raises:
            ConfigError: as `train`.
        """
        parts = self.optimizer.accumulate
        check_plan(self, plan, accumulate=parts, inner=inner)
        if self.refuses_inner(inner.order):
            raise ValueError(f"inner.order {inner.order}: {self.refuses_inner(inner.order)}")
        self._check_rows(plan.batches)
        km, N, B, _ = plan.batches.weights.shape
        row_losses, norms = torch.zeros(km, N, B), torch.zeros(km // inner.batches, N)
        with self._fitting(plan.batches, "train", parts), self.flat.undone_on_failure(), products(self.precision):
            for n in range(N):
                row_losses[:, n], norms[:, n] = self._updates(plan, n, inner)
        return inner_report(row_losses, norms, self._explosion, inner)

    def refuses_weighted(self) -> str:
        """Why its updates cannot weigh the losses of several batches: they can."""
        return ""

    def train_weighted(self, plan: SegmentPlan, weights: npt.NDArray[np.float64]) -> SegmentReport:
        """`train` with updates on the weighted gradients of m batches each; see `WeightedLearner`.

        Raises:
            ConfigError: as `train`.
        """
        parts = self.optimizer.accumulate
        check_weighted(self, plan, weights, accumulate=parts)
        self._check_rows(plan.batches)
        update = WeightedUpdates(self.network, self._leaves, self.flat, self.optimizer, CHUNK, self._factors())
        done = []
        with self._fitting(plan.batches, "train", parts), self.flat.undone_on_failure(), products(self.precision):
            for n in range(self.replicas):
                self._become(n)
                done.append(update(plan, weights, n))
        return joined(done).report(self._explosion, weights)

    def _updates(self, plan: SegmentPlan, n: int, inner: Inner) -> tuple[Tensor, Tensor]:
        """The (k m, B) losses and (k,) gradient norms of k updates of a replica."""
        leaves, moved = self._part(plan.moves), self._part(inner.moves)
        update = InnerUpdates(self.network, leaves, moved, self.flat, self.optimizer, CHUNK, self._factors())
        reads, row_losses, norms = update.reads(plan, n), list[Tensor](), list[Tensor]()
        for i in range(len(plan.learning_rates)):
            self._become(n)
            losses, norm = update(plan, reads, inner, n, i)
            row_losses += losses
            norms.append(norm)
        return torch.stack(row_losses), torch.stack(norms)

    def token_losses(self, batch: Batch) -> Tensor:
        """(N, B, T) nats of each scored token and 0 elsewhere, without gradient."""
        return self._for_each(batch, self.network.token_losses)

    def features(self, batch: Batch) -> Tensor:
        """(N, B, d) mean of the last hidden state over each row's tokens that are not padding, without gradient."""
        return self._for_each(batch, self.network.features)

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position, without gradient."""
        return self._for_each(batch, lambda one: self.network.label_logits(one, label_ids))

    def tag_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, T, C) logits of the tokens `label_ids` (C,) at every position, without gradient."""
        return self._for_each(batch, lambda one: self.network.tag_logits(one, label_ids))

    def _for_each(self, batch: Batch, read: Callable[[Batch], Tensor]) -> Tensor:
        """What `read` makes of each replica's (B, T) batch, stacked."""
        whole = for_all_replicas(self, batch)
        self._check_rows(whole)
        results = []
        with self._fitting(batch, "score"), products(self.precision):
            for n in range(self.replicas):
                self._become(n)
                results.append(read(whole[n]))
            return torch.stack(results)

    def _fitting(self, batch: Batch, verb: str, parts: int = 1) -> AbstractContextManager[None]:
        rows, tokens = batch.input_ids.shape[-2:]
        advice = "lower batch or context, raise optimizer.accumulate, or set learner.gradient_checkpointing"
        return fitting(f"what it takes to {verb} on {rows} rows of {tokens} tokens, {parts} part(s)", advice)

    def _check_rows(self, batch: Batch) -> None:
        readable = batch.causal if self.causal_rows else ~batch.causal
        if not bool(readable.all()):
            kind = "bidirectional (masked LM)" if self.causal_rows else "causal (next-token)"
            raise ConfigError(f"learner.head {self.head!r} cannot read {kind} rows: change the head or the objectives")

    def gradient_products(self, batches: Batch) -> GradientProducts:
        """Inner products of the gradients of G batches with leading dimensions (G, N); nothing is trained."""
        self._check_rows(batches)
        with self._fitting(batches, "compare gradients of"), products(self.precision):
            found = [self._products(batches[:, n : n + 1], n) for n in range(self.replicas)]
        return GradientProducts(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def _products(self, batches: Batch, n: int) -> GradientProducts:
        self._become(n)
        todo = outlines(batches, parts=1, chunk=CHUNK)
        here = batches.to(self.device)
        shares = token_weights(here.weights)
        slopes = []
        for i, outline in enumerate(todo):
            found, _ = self.network.gradients(self._leaves, here[i, 0], shares[i, 0], outline.limits)
            slopes.append({name: slope[None] for name, slope in found.items()})
        second = {name: block[n : n + 1] for name, block in self.flat.second.items()}
        steps = torch.from_numpy(self.flat.steps[n : n + 1])
        return gradient_products(slopes, second, steps, beta=self.optimizer.betas[1], eps=self.optimizer.eps)

    def flops(self, tokens: int, *, training: bool) -> float:
        """Counted operations of that many tokens of full rows, all scored; training counts 3 forward passes."""
        return self._flops_per_token * tokens * (3 if training else 1)

    def label_flops(self, tokens: int, moves: Part) -> float:
        """Counted operations of the gradient of some parameters on that many tokens of rows of labels alone."""
        if moves not in self._label_flops:
            counted = self.network.label_operations_per_token(self._part(moves), self.context)
            self._label_flops[moves] = counted
        return self._label_flops[moves] * tokens

    @sealed
    def save(self, directory: Path, *, optimizer: bool = False) -> None:
        """Write what `save_pretrained` writes, `learner.json` and, if asked, the optimizer's state.

        The model is replica 0's, without light parameters: any library reads it. These stand in `light.safetensors`.
        Where there are more replicas, `learner.safetensors` holds the parameters of all.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._become(0)
        hf_models.save(self.model if self.light is None else self._without_light(), directory)
        if self.light is not None:
            light = {name: self.flat.parameters[name][0].cpu().clone() for name in self._part("light")}
            save_file(light, directory / LIGHT_FILE)
        if self.replicas > 1:
            self.flat.save(directory, optimizer=False)
        if optimizer:
            self.flat.save_optimizer(directory)
        description = {
            "kind": "transformers",
            "head": self.head,
            "context": self.context,
            "replicas": self.replicas,
            "optimizer": self.optimizer.model_dump(),
            "vocabulary": {name: getattr(self.vocabulary, name) for name in ("vocab_size", "pad_id", "eos_id")},
            "options": self.options.model_dump(),
            "light": None if self.light is None else self.light.model_dump(),
        }
        (directory / "learner.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")

    def load_light(self, directory: Path) -> None:
        """Give every replica the light parameters that `save` wrote.

        Raises:
            ConfigError: where the file is missing or holds others.
        """
        shapes = {name: p.shape for name, p in self._part("light").items()}
        for name, values in read_tensors(directory / LIGHT_FILE, shapes).items():
            self.flat.parameters[name].copy_(values)

    def _without_light(self) -> Any:
        """The model as it was before light parameters were added, with replica 0's body."""
        plain = self._built(seed=0)
        theirs = dict(plain.named_parameters())
        with torch.no_grad():
            for name, known in self._plain.items():
                theirs[known].copy_(self.flat.parameters[name][0])
        return plain
