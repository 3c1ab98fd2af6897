"""The prior of an environment: a share for every task, from its text, the target's signal split and its objective.

Shape letters: K tasks, S different texts.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from curriculum_rl.priors import em
from curriculum_rl.priors.likelihoods import Tokens
from curriculum_rl.tasks import Task, Windows
from curriculum_rl.text import divergence
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.documents import sha256_of
from curriculum_rl.text.tokenizers import Tokenizer

Floats = npt.NDArray[np.float64]
PriorName = Literal["em", "js"]

TEMPERATURE = 0.1
"""Bits of Jensen-Shannon divergence that take a text's weight down by a factor of e (docs/log.md)."""
DISCOUNT = 0.0
"""What a task is worth, next to one on the same text under the target's own objective, under an objective that is not
in `DISCOUNTS`."""
DISCOUNTS: Mapping[str, float] = MappingProxyType({})
"""Of objectives that were measured to be worth more (docs/log.md)."""
_FORMAT = 3  # of what is kept; a change makes every kept one stale


def prior(
    name: PriorName, tasks: Sequence[Task], signal: Corpus, *, objective: str, tokenizer: Tokenizer, cache: Cache
) -> Floats:
    """(K,) shares, summing to 1: the weight of each task's text, divided among the tasks on it by their objectives.

    A text whose tasks are worth nothing gets nothing, unless that is so of all. The task that trains on the signal
    split itself gets nothing: of its own text every prior would say that nothing is better.

    Args:
        name: "em", the weights under which a mixture of bigram models explains the target
            (`curriculum_rl.priors.em`), or "js", exp(-divergence / .1 bits).
        tasks: the K tasks.
        signal: the signal split of the target.
        objective: the target's own.
        tokenizer: of all texts.
        cache: where the weights of the texts are kept.
    """
    worth = _worths(tasks, signal, objective)
    if not worth.any():
        return np.full(len(tasks), 1 / len(tasks))
    texts = {task.corpus.sha256: task.corpus for task, one in zip(tasks, worth, strict=True) if one > 0}
    weights = _weights(name, texts, signal, tokenizer, cache)
    return _divided([task.corpus.sha256 for task in tasks], worth, weights)


def text_worths(tasks: Sequence[Task], signal: Corpus, objective: str) -> dict[str, float]:
    """By sha256 of every text but the signal split, what the best task on it is worth: that is weighed with a text.

    Args:
        tasks: the K tasks.
        signal: the signal split of the target.
        objective: the target's own.
    """
    found: dict[str, float] = {}
    for task, worth in zip(tasks, _worths(tasks, signal, objective).tolist(), strict=True):
        if task.corpus is not signal:
            found[task.corpus.sha256] = max(worth, found.get(task.corpus.sha256, 0.0))
    return found


def _worths(tasks: Sequence[Task], signal: Corpus, objective: str) -> Floats:
    """(K,) what each task is worth; of equal worth are all on other text where none has any, and none where all is."""
    worth = np.array([_worth(task, objective) for task in tasks])
    others = np.array([task.corpus is not signal for task in tasks], np.float64)
    return worth * others if (worth * others).any() else others


def _worth(task: Task, objective: str) -> float:
    return 1.0 if task.objective.name == objective else DISCOUNTS.get(task.objective.name, DISCOUNT)


def _divided(texts: Sequence[str], worth: Floats, weights: Mapping[str, float]) -> Floats:
    """A text's weight counts as much as the best task on it is worth, and is divided in proportion to worth."""
    shares = np.zeros(len(texts))
    for text, weight in weights.items():
        there = np.array([one == text for one in texts])
        shares[there] = weight * worth[there].max() * worth[there] / worth[there].sum()
    shares /= shares.sum()
    return shares


def _weights(
    name: PriorName, texts: Mapping[str, Windows], signal: Corpus, tokenizer: Tokenizer, cache: Cache
) -> dict[str, float]:
    """Weights of the texts by sha256, from the cache where they were found before."""

    def record(path: Path) -> None:
        streams = [text.tokens for text in texts.values()]
        found = dict(zip(texts, weights_of_texts(name, streams, signal.tokens, tokenizer).tolist(), strict=True))
        (path / "weights.json").write_text(json.dumps(found), encoding="utf-8")

    key = sha256_of("prior", _FORMAT, name, json.dumps(sorted(texts)), signal.sha256, tokenizer.fingerprint)
    found: dict[str, float] = json.loads((cache.entry(key, record) / "weights.json").read_text(encoding="utf-8"))
    return found


def no_text(of: Tokenizer) -> tuple[int, ...]:
    """Tokens that are none: padding, ends of documents, masks and labels."""
    return (of.pad_id, of.eos_id, of.mask_id, of.cls_id, *of.label_ids)


def weights_of_texts(name: PriorName, texts: Sequence[Tokens], target: Tokens, of: Tokenizer) -> Floats:
    """(S,) weights of texts under a prior."""
    return em_of_texts(texts, target, of) if name == "em" else js_of_texts(texts, target, of)


def em_of_texts(texts: Sequence[Tokens], target: Tokens, of: Tokenizer) -> Floats:
    """(S,) weights under which a mixture of the texts' bigram models explains the target's text."""
    return em.em_weights(target, texts, of.vocab_size, ignored=no_text(of))


def js_of_texts(texts: Sequence[Tokens], target: Tokens, of: Tokenizer) -> Floats:
    """(S,) weights exp(-divergence / TEMPERATURE), normalised; Jensen-Shannon, in bits, of the tokens."""
    distances = divergence.of_terms("js", target, texts, of.vocab_size)
    weights: Floats = np.exp((distances.min() - distances) / TEMPERATURE)
    weights /= weights.sum()
    return weights
