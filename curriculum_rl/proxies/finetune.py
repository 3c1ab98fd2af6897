"""A short few-shot fine-tune from a snapshot, scored on other labelled examples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Batch, Part, SegmentPlan
from curriculum_rl.draws import key, window_of
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.learners.transformers.light import LightLearner
from curriculum_rl.objectives import Classification, Tagging
from curriculum_rl.proxies.base import Floats, Price
from curriculum_rl.proxies.entities import entity_f1, predicted_tags
from curriculum_rl.proxies.examples import labelled_batch
from curriculum_rl.schema.learners import RateConfig
from curriculum_rl.schema.proxies import FineTuneSettings
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus


class FewShot(NamedTuple):
    """Figures of a fine-tuned learner on the test examples, each (N,).

    Attributes:
        log_loss: nats per label.
        accuracy: share of the labels that is right, in [0, 1].
        entity_f1: micro-F1 of entities in [0, 1], where labels are tags of words; else None.
    """

    log_loss: Floats
    accuracy: Floats
    entity_f1: Floats | None = None


class FewShotFineTune:
    """Fine-tune copies of the learners on a few labelled examples, score them, and put everything back.

    The softmax is over the classes alone, as that of a fresh head is: in one over the vocabulary a pretrained learner
    would first have to unlearn that no label follows text, and random weights would look better than trained ones.
    Learners with light parameters get fresh ones first, head included; with `settings.tune` light nothing else moves.
    Without updates in the settings the learners are scored as they are.

    Args:
        train: where the few examples come from.
        test: where the scored examples come from.
        objective: the classification objective that the learner can do.
        settings: sizes and learning rate.
        context: T.
        seeds: N seeds; each draws its own examples.
    """

    def __init__(
        self,
        *,
        train: LabelledCorpus | TaggedCorpus,
        test: LabelledCorpus | TaggedCorpus,
        objective: Classification | Tagging,
        settings: FineTuneSettings,
        context: int,
        seeds: Sequence[int],
    ) -> None:
        self._settings = settings
        first = objective.first
        self._seeds = [key(seed, "few-shot light") >> 1 for seed in seeds]
        self._labels = torch.tensor(objective.tokenizer.label_ids[first : first + len(train.classes)])
        self._context = context
        examples = min(settings.examples, train.size(context))
        rows = settings.updates * settings.batch
        drawn = []
        for seed in seeds:
            pool = window_of(key(seed, "few-shot"), np.arange(examples), train.size(context))
            drawn.append(pool[window_of(key(seed, "few-shot order"), np.arange(rows), examples)])
        self._train = labelled_batch(train, np.stack(drawn), objective, context)
        tested = min(settings.test_examples, test.size(context))
        picks = [window_of(key(seed, "few-shot test"), np.arange(tested), test.size(context)) for seed in seeds]
        self._test = labelled_batch(test, np.stack(picks), objective, context)
        self._tagged = (test, np.stack(picks)) if isinstance(test, TaggedCorpus) else None

    @property
    def _moves(self) -> Part:
        return "light" if self._settings.tune == "light" else "all"

    def price(self, learner: Learner) -> Price:
        """Training on the few examples and one forward pass over the test examples."""
        train = self._settings.updates * self._settings.batch * self._context
        test = self._test.input_ids.shape[1] * self._context
        if isinstance(learner, LightLearner) and learner.has_light:
            # A gradient of everything is three forward passes.
            return Price(train + test, learner.label_flops(train, self._moves) + learner.label_flops(test, "all") / 3)
        flops = learner.flops(train, training=True) + learner.flops(test, training=False)
        return Price(train + test, flops)

    def __call__(self, learner: Learner) -> FewShot:
        """Fine-tune and score; the learner is left as it was found."""
        if not self._settings.updates:
            return self._scored(learner)
        before = learner.snapshot()
        learner.reset_optimizer()
        if isinstance(learner, LightLearner) and learner.has_light:
            learner.reset_light(self._seeds)
        updates, batch = self._settings.updates, self._settings.batch
        # Up, then down: the first steps of a fresh Adam at the full rate would wipe out what was learned.
        rise_and_fall = RateConfig(learning_rate=self._settings.learning_rate, warmup=0.1, decay=0.9)
        rates = learning_rate((np.arange(updates) + 0.5) / updates, rise_and_fall)
        rates = np.repeat(rates[:, None], learner.replicas, axis=1)
        plan = SegmentPlan(_in_updates(self._train, updates, batch), rates, label_ids=self._labels, moves=self._moves)
        learner.train(plan)
        found = self._scored(learner)
        learner.restore(before)
        return found

    def _scored(self, learner: Learner) -> FewShot:
        """The figures of the learners as they are now."""
        if self._tagged is not None:
            return self._scored_tags(learner, *self._tagged)
        logits = learner.label_logits(self._test, self._labels).double().cpu()
        truth = self._true_classes()
        nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
        right = (logits.argmax(dim=-1) == truth).double()
        return FewShot(nats.view_as(truth).mean(dim=1).numpy(), right.mean(dim=1).numpy())

    def _scored_tags(self, learner: Learner, corpus: TaggedCorpus, picks: npt.NDArray[np.int64]) -> FewShot:
        """Of a label for every word."""
        logits = learner.tag_logits(self._test, self._labels).double().cpu()
        truth, scored = (self._test.targets[..., None] == self._labels).long().argmax(dim=-1), self._test.weights != 0
        best = logits.argmax(dim=-1)
        nats = torch.nn.functional.cross_entropy(logits.flatten(0, 2), truth.flatten(), reduction="none")
        words = scored.sum(dim=(1, 2))
        right = ((best == truth) & scored).sum(dim=(1, 2)) / words
        f1 = [
            entity_f1(corpus.true_tags(index), predicted_tags(corpus, index, tags, self._context))
            for index, tags in zip(picks, best.numpy(), strict=True)
        ]
        lost = (nats.view_as(truth) * scored).sum(dim=(1, 2)) / words
        return FewShot(lost.numpy(), right.double().numpy(), np.array(f1))

    def _true_classes(self) -> torch.Tensor:
        """(N, R) index of the right class of every test row."""
        scored = (self._test.targets * self._test.weights.long()).sum(dim=-1)
        return (scored[..., None] == self._labels).long().argmax(dim=-1)


def _in_updates(batch: Batch, updates: int, rows: int) -> Batch:
    """An (N, k * B, T) batch as (k, N, B, T)."""

    def split(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.reshape(len(tensor), updates, rows, *tensor.shape[2:]).transpose(0, 1).contiguous()

    return batch.map(split)
