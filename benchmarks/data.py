"""The data path against Hugging Face `datasets` with a torch `DataLoader`, and what each objective takes per token.

    python benchmarks/data.py [--rounds 7] [--corpus kjv] [--env almanac-small] [--clock cpu] [--json FILE]

Both sides turn the same windows of 64 tokens into batches of 32 rows with inputs and targets, in random order. Ours is
`curriculum_rl.tasks.segment_batches`, as an environment calls it: all 20 batches of a segment at once. Theirs is a
`Dataset` in memory, read by a shuffling `DataLoader` with `transformers`' collator for language modelling, once in the
torch format and once as `datasets` returns rows by default (the goal is for the faster of the two). The last table is
our path alone, nanoseconds per token.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import timing  # before torch: asks for one thread
import torch
from timing import Report, Side

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.schema import load as configs
from curriculum_rl.tasks import Task, segment_batches
from curriculum_rl.text.tokenizers import TOKENIZER_FILE

CONTEXT, ROWS, UPDATES = 64, 32, 20
TOKENS = CONTEXT * ROWS
OBJECTIVES = (
    "causal_lm",
    "prefix_lm",
    "masked_lm",
    "whole_word_masking",
    "span_masking",
    "span_corruption",
    "replaced_token_detection",
    "added_token_detection",
    "deleted_token_detection",
    "capitalisation",
    "token_document_relation",
    "sentence_order",
    "next_sentence",
    "sentence_reordering",
    "sentence_distance",
)


def experiment_with(env: str, corpus: str, objectives: Sequence[str]) -> Experiment:
    """An environment whose tasks are these objectives on one corpus."""
    tasks = [{"corpora": [corpus], "objective": kind} for kind in objectives]
    return build(configs.load(env, {"tasks": tasks, "context": CONTEXT}))


def ours(task: Task, *, units_per_batch: int = 1) -> Callable[[int], None]:
    """Segments of one task, on and on."""
    plan = np.zeros((UPDATES, 1, ROWS), np.int64)
    counters = np.zeros((1, 1), np.int64)

    def run(calls: int) -> None:
        nonlocal counters
        for _ in range(max(1, calls // (UPDATES * units_per_batch))):
            _, counters = segment_batches([task], plan, counters, [0], CONTEXT)

    return run


def theirs(experiment: Experiment, task: Task, *, masked: bool, torch_format: bool) -> Callable[[int], None]:
    """Batches of a DataLoader, epoch after epoch."""
    import datasets
    from torch.utils.data import DataLoader
    from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

    windows = task.corpus.windows(np.arange(task.corpus.size(CONTEXT)), CONTEXT)[:, :CONTEXT]
    rows = datasets.Dataset.from_dict({"input_ids": list(windows)})
    with tempfile.TemporaryDirectory() as folder:
        experiment.tokenizer.save(Path(folder))
        file = str(Path(folder) / TOKENIZER_FILE)
        fast: Any = PreTrainedTokenizerFast
        tokenizer = fast(tokenizer_file=file, mask_token="<|mask|>", pad_token="<|pad|>")
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=masked, mlm_probability=0.15)
    readable: Any = rows.with_format("torch") if torch_format else rows
    loader = DataLoader(readable, batch_size=ROWS, shuffle=True, drop_last=True, collate_fn=collator)

    def endless() -> Iterator[Any]:
        while True:
            yield from loader

    batches = endless()

    def run(calls: int) -> None:
        for _ in range(calls):
            assert next(batches)["labels"].shape == (ROWS, CONTEXT)

    return run


def main() -> None:
    """Compare, then list the objectives."""
    parser = timing.parser(__doc__)
    parser.add_argument("--env", default="almanac-small")
    parser.add_argument("--corpus", default="kjv", help="one of the environment's corpora")
    arguments = parser.parse_args()
    report = Report(arguments)
    torch.manual_seed(0)
    experiment = experiment_with(arguments.env, arguments.corpus, OBJECTIVES)
    tasks = dict(zip(OBJECTIVES, experiment.problem.tasks, strict=True))
    for kind, masked in (("masked_lm", True), ("causal_lm", False)):
        other = [theirs(experiment, tasks[kind], masked=masked, torch_format=flag) for flag in (True, False)]
        sides = [
            Side(f"segment_batches, {kind}", ours(tasks[kind]), calls=8 * UPDATES),
            Side("Dataset (torch format) + DataLoader", other[0], calls=40),
            Side("Dataset (lists) + DataLoader", other[1], calls=40),
        ]
        times = report.compare(f"a batch of {ROWS} x {CONTEXT} tokens of {arguments.corpus}, {kind}", sides)
        report.fact(f"{kind}: the faster over ours", min(row["ratio"] for row in report.rows[-2:]), goal=15.0)
        report.fact(f"{kind}: ours, batches/s", 1 / median(times[sides[0].name]))
    sides = [Side(kind, ours(task, units_per_batch=TOKENS), calls=2 * UPDATES * TOKENS) for kind, task in tasks.items()]
    report.compare(f"our data path by objective, {arguments.corpus}", sides, unit="ns")
    report.finish()


if __name__ == "__main__":
    main()
