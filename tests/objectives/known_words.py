"""A tokenizer whose every token is known."""

import tokenizers

from curriculum_rl.text.tokenizers import Tokenizer

# As SentencePiece writes them: the mark stands for a space. " Zoe" has no lower-case counterpart, "s" and "2" go on.
WORDS = [
    *("▁The", "▁the", "▁Cat", "▁cat", "s", "▁ran", "▁dog", "▁Zoe", "▁sat", "▁red", "▁hat", "▁was", "▁by", "▁a"),
    *("▁sea", "▁but", "▁no", "▁fish", "▁came", "2", ".", "!", ",", "\n"),
]
LABELS = 20


def known_tokenizer(labels: int = LABELS) -> Tokenizer:
    """Pad 0, eos 1, mask 2, cls 3, then the labels, then the words."""
    names = ["<pad>", "<eos>", "<mask>", "<cls>", *(f"<{i}>" for i in range(labels))]
    vocabulary = {name: i for i, name in enumerate([*names, *WORDS])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<pad>"))
    return Tokenizer(backend, pad_id=0, eos_id=1, mask_id=2, cls_id=3, label_ids=range(4, 4 + labels))


def ids_of(text: str) -> list[int]:
    """Ids of words between spaces: `/` ends a document, `|` a line, `_` pads, `?` masks, `=` is cls, `Li` label i."""
    names = {word.removeprefix("▁"): i for i, word in enumerate(WORDS, 4 + LABELS)}
    names |= {f"L{i}": 4 + i for i in range(LABELS)}
    names |= {"_": 0, "/": 1, "?": 2, "=": 3, "|": names["\n"]}
    return [names[word] for word in text.split(" ")]
