"""Gives a tokenizer the special and label tokens that it lacks: each has an id of its own, which no text yields."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import tokenizers

from curriculum_rl.errors import ConfigError

ROLES = ("pad", "eos", "mask", "cls")
_FIRST_CHOICE = ("eos", "cls", "mask", "pad")  # of two roles that share a token, the earlier one keeps it


def label_names(labels: int) -> list[str]:
    """What label tokens are called."""
    return [f"<|label-{number}|>" for number in range(labels)]


def with_specials(
    backend: tokenizers.Tokenizer, known: Mapping[str, str | None], labels: int
) -> tuple[tokenizers.Tokenizer, dict[str, int], list[int]]:
    """A tokenizer with all of them, the id of each role, and those of the labels.

    A token that is known for a role is kept unless another role has it (GPT-2 is often padded with its end of
    document), it stands for what the tokenizer does not know, or it is a word.

    Args:
        backend: the tokenizer; may be changed.
        known: the token of each role, where there is one.
        labels: how many label tokens.

    Raises:
        ConfigError: Two of its tokens have one id, or its vocabulary cannot be added to.
    """
    vocabulary = backend.get_vocab(with_added_tokens=True)
    require_own_ids(vocabulary)
    marked = {token.content for token in backend.get_added_tokens_decoder().values() if token.special}
    unknown = unknown_token(backend)
    taken: set[str] = set()

    def own(name: str) -> str:
        chosen, number = name, 0
        while chosen in taken or chosen == unknown or (chosen in vocabulary and chosen not in marked):
            number += 1
            chosen = f"{name.removesuffix('|>')}-{number}|>"
        taken.add(chosen)
        return chosen

    names: dict[str, str] = {}
    for role in _FIRST_CHOICE:
        token = known[role]
        if token is None or token in taken or token == unknown or token.isalnum() or len(token) == 1:
            continue
        taken.add(token)
        names[role] = token
    for role in ROLES:
        names.setdefault(role, own(f"<|{role}|>"))
    wanted = [*(names[role] for role in ROLES), *(own(name) for name in label_names(labels))]
    made = _with_tokens(backend, wanted)
    ids = [_id(made, name) for name in wanted]
    return made, dict(zip(ROLES, ids, strict=False)), ids[len(ROLES) :]


def require_own_ids(vocabulary: Mapping[str, int]) -> None:
    """Refuses a vocabulary in which an id means two tokens.

    Raises:
        ConfigError: It names both.
    """
    if len(set(vocabulary.values())) == len(vocabulary):
        return
    owner: dict[int, str] = {}
    for token, number in sorted(vocabulary.items()):
        if number in owner:
            raise ConfigError(f"tokenizer: id {number} means two tokens, {owner[number]!r} and {token!r}")
        owner[number] = token


def unknown_token(backend: tokenizers.Tokenizer) -> str | None:
    """What stands in an encoding for text that the tokenizer does not know; None: it knows all."""
    model: Any = backend.model
    if isinstance(model, tokenizers.models.Unigram):
        number = json.loads(backend.to_str())["model"]["unk_id"]
        return None if number is None else backend.id_to_token(number)
    return getattr(model, "unk_token", None) or None


def _with_tokens(backend: tokenizers.Tokenizer, names: Iterable[str]) -> tokenizers.Tokenizer:
    """The tokenizer with special tokens of these names, new ones at the end of the vocabulary."""
    before = backend.to_str()
    tokens = [tokenizers.AddedToken(name, special=True, normalized=False) for name in names]
    backend.add_special_tokens(tokens)
    vocabulary = backend.get_vocab(with_added_tokens=True)
    if len(set(vocabulary.values())) == len(vocabulary):
        return backend
    # In a vocabulary with holes the library counts tokens and gives ids that others have.
    content = json.loads(before)
    words = content["model"]["vocab"]
    if not isinstance(words, dict):
        raise ConfigError("tokenizer: no token can be added, its added tokens stand among its words")
    original = tokenizers.Tokenizer.from_str(before)
    known = original.get_vocab(with_added_tokens=True)
    following = max(known.values()) + 1
    for token in tokens:
        if token.content not in known:
            words[token.content] = following
            following += 1
    made = tokenizers.Tokenizer.from_str(json.dumps(content))
    made.add_special_tokens(tokens)
    require_own_ids(made.get_vocab(with_added_tokens=True))
    return made


def _id(backend: tokenizers.Tokenizer, token: str) -> int:
    token_id = backend.token_to_id(token)
    assert token_id is not None, f"{token} was just added"
    return int(token_id)
