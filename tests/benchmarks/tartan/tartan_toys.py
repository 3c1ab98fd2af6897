"""A tiny end-task whose class is a word of the text, with texts beside it, and a tiny body."""

import numpy as np
from tartan_arms import Labelled, Problem, Settings, encoded, noise_like

from curriculum_rl.text.tokenizers import train_bpe

BODY = {
    "model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 64, "max_position_embeddings": 32,
}  # fmt: skip
SMALL = Settings(
    context=12, batch=8, updates=6, every=3, patience=2, dev_head_rows=16, final_updates=4, final_every=2,
    lm_head_updates=6, lm_head_every=3, lm_head_tolerance=0.0, weight_rate=0.1,
)  # fmt: skip
CLASSES = ("red", "green", "blue")


def sentences(count: int, seed: int) -> list[tuple[str, int]]:
    draw = np.random.default_rng(seed)
    things = [f"thing{n}" for n in range(8)]
    rows = []
    for n in range(count):
        before, after = draw.choice(things, 2)
        rows.append((f"the {before} is {CLASSES[n % 3]} like {after}", n % 3))
    return rows


def problem() -> Problem:
    parts = [sentences(count, seed) for seed, count in enumerate((60, 40, 30))]
    tokenizer = train_bpe([text for text, _ in parts[0]], vocab_size=330, labels=0)

    def labelled(rows: list[tuple[str, int]]) -> Labelled:
        return Labelled(encoded([text for text, _ in rows], tokenizer, 12), np.array([label for _, label in rows]))

    tapt = labelled(parts[0]).ids
    texts = {"tapt": tapt, "dapt": tapt[::-1].copy(), "noise": noise_like(tapt, tokenizer, seed=0)}
    train, dev, test = (labelled(rows) for rows in parts)
    return Problem(train, dev, test, classes=3, metric="macro_f1", texts=texts, tokenizer=tokenizer)
