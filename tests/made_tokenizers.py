"""Small tokenizers of every kind there is, as `transformers` saves them."""

from collections.abc import Callable, Mapping

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from curriculum_rl.text.special_tokens import ROLES, with_specials
from curriculum_rl.text.tokenizers import Tokenizer

TEXTS = ["ab ba aab bab ca cab", "Ab é été Ça b1 a1 ab,ba ab", "ba ab ca ab. Ab ba \u6771\u4eac ab"] * 5
SPECIALS = ["<unk>", "<s>", "</s>"]


def _bpe(normalizer: normalizers.Normalizer | None, before: pre_tokenizers.PreTokenizer | None) -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    if normalizer is not None:
        made.normalizer = normalizer
    if before is not None:
        made.pre_tokenizer = before
    made.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=60, special_tokens=SPECIALS, show_progress=False, max_token_length=8)
    )
    return made


def _legacy() -> tokenizers.Tokenizer:
    """As in LLaMA 1 and 2: a normaliser puts the mark before the text, and nothing cuts between words."""
    return _bpe(normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]), None)


def _metaspace(scheme: str, split: bool) -> Callable[[], tokenizers.Tokenizer]:
    return lambda: _bpe(None, pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split))


def _byte_level(space: bool, regex: bool) -> Callable[[], tokenizers.Tokenizer]:
    def make() -> tokenizers.Tokenizer:
        made = tokenizers.Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space, use_regex=regex)
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=280,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        made.train_from_iterator(TEXTS, trainer)
        return made

    return make


def _word_piece(lowercase: bool) -> Callable[[], tokenizers.Tokenizer]:
    def make() -> tokenizers.Tokenizer:
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        made.train_from_iterator(
            TEXTS,
            trainers.WordPieceTrainer(
                vocab_size=50, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
            ),
        )
        return made

    return make


def _unigram() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(
        TEXTS, trainers.UnigramTrainer(vocab_size=60, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False)
    )
    return made


def _decomposing() -> tokenizers.Tokenizer:
    return _bpe(normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()]), pre_tokenizers.WhitespaceSplit())


def _dropping() -> tokenizers.Tokenizer:
    """A normaliser that drops digits and invisible characters, and one that adds a word."""
    drop = normalizers.Replace(tokenizers.Regex("[0-9\u200b]"), "")
    return _bpe(normalizers.Sequence([drop, normalizers.Prepend(">>"), normalizers.Replace(" ", "_")]), None)


def _word_level() -> tokenizers.Tokenizer:
    words = sorted({word for text in TEXTS for word in text.split()})
    made = tokenizers.Tokenizer(models.WordLevel({w: n for n, w in enumerate(["<unk>", *words])}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def holes() -> tokenizers.Tokenizer:
    """Words with ids far apart, in whose gaps the library puts what it adds."""
    words = {"<unk>": 0, "ab": 1, "ba": 7, "cab": 8, "ca": 9, "b": 30}
    made = tokenizers.Tokenizer(models.WordLevel(words, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def names_taken() -> tokenizers.Tokenizer:
    """Words that are called as the tokens that we add."""
    words = ["<unk>", "ab", "<|pad|>", "<|label-0|>", "<|label-1|>", "<|eos|>", "ba", "[CLS]", "<|label-0-1|>"]
    made = tokenizers.Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


MAKERS: dict[str, Callable[[], tokenizers.Tokenizer]] = {
    "legacy": _legacy,
    "metaspace first": _metaspace("first", True),
    "metaspace always": _metaspace("always", True),
    "metaspace never": _metaspace("never", True),
    "metaspace whole": _metaspace("always", False),
    "byte level": _byte_level(False, True),
    "byte level with a space": _byte_level(True, True),
    "byte level without words": _byte_level(False, False),
    "word pieces": _word_piece(False),
    "word pieces in lower case": _word_piece(True),
    "unigram": _unigram,
    "decomposing": _decomposing,
    "dropping": _dropping,
    "words": _word_level,
    "holes": holes,
    "names taken": names_taken,
}


def made(backend: tokenizers.Tokenizer, labels: int = 6, known: Mapping[str, str] | None = None) -> Tokenizer:
    """A tokenizer of ours of it."""
    roles: dict[str, str | None] = dict.fromkeys(ROLES) | dict(known or {})
    backend, ids, label_ids = with_specials(backend, roles, labels)
    return Tokenizer(
        backend, pad_id=ids["pad"], eos_id=ids["eos"], mask_id=ids["mask"], cls_id=ids["cls"], label_ids=label_ids
    )
