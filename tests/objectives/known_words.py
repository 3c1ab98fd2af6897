"""Rows by hand, in the words of the known tokenizer."""

from curriculum_rl.testing.objectives import LABELS, WORDS


def ids_of(text: str) -> list[int]:
    """Ids of words between spaces: `/` ends a document, `|` a line, `_` pads, `?` masks, `=` is cls, `Li` label i."""
    names = {word.removeprefix("▁"): i for i, word in enumerate(WORDS, 4 + LABELS)}
    names |= {f"L{i}": 4 + i for i in range(LABELS)}
    names |= {"_": 0, "/": 1, "?": 2, "=": 3, "|": names["\n"]}
    return [names[word] for word in text.split(" ")]
