"""The backbone of a priming experiment: a small BERT, pretrained by masked LM as an environment of this project.

No pretrained multilingual weights are at hand, so they are made: one task for each language's raw text, stratified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming.ner import Language, Sentence
from curriculum_rl.tokenizers import Tokenizer, load_tokenizer

TEXTS, CHECK = "texts", "check"


@dataclass(frozen=True)
class BackboneSize:
    """How large it is and how long it is pretrained.

    Attributes:
        vocab_size: V, of a byte-level BPE trained on the train parts.
        layers: of the BERT.
        width: d.
        heads: of its attention.
        context: tokens of a window; also the longest row that the backbone can ever read.
        batch: windows of an update.
        updates: of masked LM over all languages.
        rate: its highest learning rate.
    """

    vocab_size: int = 4096
    layers: int = 2
    width: int = 128
    heads: int = 4
    context: int = 64
    batch: int = 16
    updates: int = 3500
    rate: float = 1e-3


def write_texts(folder: Path, languages: Mapping[str, Language]) -> None:
    """The raw train text of each language, a sentence a line, and the dev text of all to watch the loss on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in languages.items():
        _write(folder / f"{name}.{TEXTS}.txt", parts["train"])
    _write(folder / f"{CHECK}.txt", [row for parts in languages.values() for row in parts["dev"]])


def environment(folder: Path, languages: Sequence[str], size: BackboneSize, *, device: str = "cpu") -> dict[str, Any]:
    """What an environment file would say; `yaml.safe_dump` makes it one. Its target only watches.

    Args:
        folder: where `write_texts` wrote.
        languages: whose text is read.
        size: of the model and of its pretraining.
        device: of the learner.
    """
    texts = {name: {"paths": str(folder / f"{name}.{TEXTS}.txt"), "format": "lines"} for name in languages}
    model = {
        "model_type": "bert",
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
        "max_position_embeddings": size.context,
    }
    return {
        "name": "priming-backbone",
        "corpora": texts,
        "tokenizer": {"kind": "bpe", "vocab_size": size.vocab_size},
        "tasks": [{"corpora": "all", "objective": "masked_lm"}],
        "learner": {"kind": "transformers", "model": model, "head": "masked"},
        "optimizer": {"learning_rate": size.rate, "weight_decay": 0.01},
        "context": size.context,
        "batch": size.batch,
        "target": {"corpus": {"paths": str(folder / f"{CHECK}.txt"), "format": "lines"}},
        "report": {"sequences": 64, "task_sequences": 8},
        "segment": {"updates": 20},
        "budget": {"updates": size.updates},
        "device": device,
    }


def load_vocabulary(learner: Path) -> Tokenizer:
    """The tokenizer beside a learner that a run saved.

    Raises:
        ConfigError: there is none.
    """
    if not (learner / "config.json").is_file():
        raise ConfigError(f"backbone: {learner} is no saved transformers learner (runs/<run>/learner)")
    return load_tokenizer(learner)


def _write(path: Path, rows: Sequence[Sentence]) -> None:
    path.write_text("".join(" ".join(row.words) + "\n" for row in rows), encoding="utf-8")
