"""`curriculum-rl mixture`: shares of sources for a target, by counting, without an environment and without training."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from curriculum_rl.errors import ConfigError, cut, wrong
from curriculum_rl.priors.calibration import Prediction, calibrated, effective, predicted
from curriculum_rl.priors.gain import counted_gain
from curriculum_rl.priors.likelihoods import LEAST
from curriculum_rl.priors.tasks import PriorName, no_text, weights_of_texts
from curriculum_rl.schema import keys, typed
from curriculum_rl.schema.corpora import BPETokenizer
from curriculum_rl.scripts.tables import print_line, print_table
from curriculum_rl.text.library import source_of
from curriculum_rl.text.samples import Samples, read_samples
from curriculum_rl.text.tokenizers import SPECIALS_FILE, Tokenizer, from_transformers, load_tokenizer, train_bpe

BPE = "bpe"
CHARACTERS = 1_000_000
"""Read of each text: more than a prior counts."""
FORMAT = 1
"""Of the file that is written."""


def show(
    sources: Sequence[str],
    target: str,
    *,
    prior: PriorName = "em",
    tokenizer: str = BPE,
    vocab_size: int | None = None,
    max_characters: int = CHARACTERS,
    out: Path | None = None,
    as_json: bool = False,
) -> dict[str, Any]:
    """Weigh the sources, print shares and predicted gain, and write what was asked for.

    Args:
        sources: NAME=TEXT each, TEXT as `curriculum_rl.schema.typed.corpus` reads it; two or more.
        target: such a text.
        prior: whose shares.
        tokenizer: "bpe", trained on the sources, or a directory or hub name of `transformers`.
        vocab_size: of a tokenizer that is trained; None: as in an environment.
        max_characters: read of each text, spread over all of it.
        out: the file that is written; None: none.
        as_json: whether its content is printed in place of the table.

    Raises:
        ConfigError: for a text that is not there, empty, too short or the target's own, and for a wrong option.
    """
    begun = time.perf_counter()
    if out is not None and out.is_dir():
        raise ConfigError(f"out: {str(out)!r} is a folder, not a file")
    named = _named(sources)
    make = _tokenizer(tokenizer, vocab_size)
    samples = read_samples(
        {name: source_of(typed.corpus(text, f"source {name}"), f"source {name}") for name, text in named.items()},
        source_of(typed.corpus(target, "target"), "target"),
        make,
        max_characters=max_characters,
    )
    shares, gain = weigh(samples, prior)
    content = _content(samples, named | {"": target}, prior, shares, gain)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(content, indent=2))
        return content
    console = Console()
    columns = ("source", "share", "even", "documents", "tokens")
    print_table(console, f"shares of the sources by {prior}", columns, _rows(samples, shares))
    written = "" if out is None else f"; wrote {out}"
    for line in (
        f"predicted gain: {gain.words}",
        *_explained(content),
        *samples.remarks(),
        f"{time.perf_counter() - begun:.1f} seconds{written}",
    ):
        print_line(console, line)
    return content


def weigh(samples: Samples, prior: PriorName) -> tuple[dict[str, float], Prediction]:
    """The share of each source, and what they are predicted to gain over an even mixture.

    Counting reads no more than can be read of the sources that get more than an even share without reading one again,
    but `LEAST` tokens, as what is given here may be a sample of what is trained on.
    """
    streams, made = [sample.tokens for sample in samples.sources.values()], samples.tokenizer
    shares = weights_of_texts(prior, streams, samples.target.tokens, made)
    even = 1 / len(streams)
    once = [len(one) / share for one, share in zip(streams, shares.tolist(), strict=True) if share >= even - 1e-9]
    counted = counted_gain(
        lambda half: weights_of_texts(prior, streams, half, made),
        np.full(len(streams), even),
        samples.target.tokens,
        streams,
        made.vocab_size,
        end=made.eos_id,
        ignored=no_text(made),
        tokens=max(LEAST, int(min(once))),
    )
    return dict(zip(samples.sources, shares.tolist(), strict=True)), predicted(counted, prior)


def _named(sources: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources:
        name, given, text = keys.halves(source)
        if not given or not name.strip() or not text:
            raise wrong("source", source, "NAME=PATH")
        if name in found:
            raise ConfigError(f"source: {cut(name)!r} is there twice")
        found[name] = text
    if len(found) < 2:
        raise wrong("source", ", ".join(found) or None, "given twice or more: a mixture takes two sources")
    return found


def _tokenizer(name: str, vocab_size: int | None) -> Callable[[Sequence[str]], Tokenizer]:
    if name == BPE:
        section = BPETokenizer() if vocab_size is None else BPETokenizer(vocab_size=vocab_size)
        return lambda texts: train_bpe(texts, vocab_size=section.vocab_size, labels=section.labels)
    if vocab_size is not None:
        raise ConfigError(f"vocab_size: {vocab_size} is of a tokenizer that is trained, not of tokenizer {cut(name)!r}")
    saved = (Path(name) / SPECIALS_FILE).is_file()  # with as many labels as it has, which do not matter here
    loaded = load_tokenizer(Path(name)) if saved else from_transformers(name)
    return lambda _: loaded


def _content(
    samples: Samples, given: dict[str, str], prior: PriorName, shares: dict[str, float], gain: Prediction
) -> dict[str, Any]:
    """What the file holds: `shares` is the mean over a budget, whatever stands beside it."""
    read = {**samples.sources, "": samples.target}
    counts = {
        name: {
            "read": given[name],
            "documents": sample.documents,
            "tokens": len(sample.tokens),
            "removed": sample.removed,
            "shortened": sample.shortened,
            "near": sample.near,
        }
        for name, sample in read.items()
    }
    return {
        "format": FORMAT,
        "shares": shares,
        "prior": prior,
        "effective_sources": effective(list(shares.values())),
        "predicted_gain": gain.entries(),
        "target": {key: value for key, value in counts.pop("").items() if key in ("read", "documents", "tokens")},
        "sources": counts,
        "tokenizer": samples.tokenizer.fingerprint,
    }


def _rows(samples: Samples, shares: dict[str, float]) -> Iterator[tuple[str, ...]]:
    for name, share in sorted(shares.items(), key=lambda one: -one[1]):
        read = samples.sources[name]
        yield cut(name), f"{share:.3f}", f"{1 / len(shares):.3f}", f"{read.documents:,}", f"{len(read.tokens):,}"


def _explained(content: dict[str, Any]) -> list[str]:
    gain, names, target = content["predicted_gain"], len(content["shares"]), content["target"]
    return [
        f"the target: {target['documents']:,} documents, {target['tokens']:,} tokens",
        f"effective number of sources: {content['effective_sources']:.1f} of {names}",
        f"counting gains {gain['counted']:.3f} nats, standard error {gain['standard_error']:.3f}; "
        + calibrated(gain["factor_error"]),
    ]
