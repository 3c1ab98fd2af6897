"""Commands that read and run nothing: list, rank, mixture, audit. Heavy imports wait until one runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from curriculum_rl.scripts.commands.options import Env, Set, Trust, overrides_of

Listed = Literal[
    "envs", "agents", "signals", "tasks", "corpora", "tokenizers", "objectives", "learners", "methods", "proxies"
]


def list_(
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    env: Env = "almanac",
    trust: Trust = False,
) -> None:
    """List what there is: environments, agents, signals, kinds of each section, or the tasks of an environment."""
    from curriculum_rl.scripts.listing import show

    show(what, env)


def rank(
    env: Env = "almanac",
    measure: Annotated[
        str | None,
        typer.Option(
            help="Measures, separated by commas. Of token distributions: js, kl, renyi, bhattacharyya, cosine; of a "
            "learner's features: wasserstein, mmd, coral, pad, mean-cosine. Default: all."
        ),
    ] = None,
    learner: Annotated[
        Path | None,
        typer.Option(
            help="A run directory, or the directory of a learner, whose features are measured. Default: the "
            "environment's own learner, freshly initialised."
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=2, help="Windows of each text that the learner reads.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Of these windows and of the fresh learner.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write ranking.json and ranking.png into this folder.")] = None,
    set_: Set = None,
    trust: Trust = False,
) -> None:
    """Rank the tasks by how far their text is from the target's, before a single update.

    Tables of every task by every measure, of what `agent.prune=0.4` would leave out, of how far the measures agree and
    what they cost, and of the shares that priors give the tasks. Text is read as the environment's own prior reads it:
    what tasks train on, and the target's signal split.
    """
    from curriculum_rl.ranking.ranking import MEASURES
    from curriculum_rl.scripts.rank import show

    show(
        env,
        measures=MEASURES if measure is None else [name.strip() for name in measure.split(",")],
        learner=learner,
        rows=rows,
        seed=seed,
        overrides=overrides_of(set_),
        json_file=json_file,
        out=out,
    )


def mixture(
    source: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=PATH",
            help="Text that could be trained on: a file (text, jsonl, csv, parquet, also gzipped), a pattern in "
            "quotes, a folder that `datasets` saved, or in braces what a corpus of an environment file may say, as "
            "`mail={paths: mail.csv, text_field: body}`. Given twice or more.",
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Text of the kind that matters downstream, likewise. 2,000 tokens in 50 documents are enough.",
        ),
    ],
    prior: Annotated[
        Literal["em", "js"],
        typer.Option(
            help="Whose shares: em, the weights under which a mixture of the sources' class bigram models explains the "
            "target; js, exp(-Jensen-Shannon divergence / 0.1 bits)."
        ),
    ] = "em",
    tokenizer: Annotated[
        str,
        typer.Option(help="`bpe`, trained on the sources, or a directory or hub name of a `transformers` tokenizer."),
    ] = "bpe",
    vocab_size: Annotated[
        int | None, typer.Option(min=320, help="Tokens of a `bpe` that is trained. Default: 2048.")
    ] = None,
    max_characters: Annotated[
        int, typer.Option(min=1, help="Read of each text, spread over all of it; more changes little.")
    ] = 1_000_000,
    out: Annotated[Path | None, typer.Option(help="Write the shares to this file, as JSON.")] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print what the file would hold, in place of the table.")
    ] = False,
) -> None:
    """Say how much of each source to train on for a target, in seconds, without an environment and without training.

    Prints the share of each source and what training on them is predicted to gain over even shares, with its
    uncertainty. Documents and lines of a source that stand in the target, too, are left out, and counted.
    """
    from curriculum_rl.scripts.mixture import show

    show(
        source,
        target,
        prior=prior,
        tokenizer=tokenizer,
        vocab_size=vocab_size,
        max_characters=max_characters,
        out=out,
        as_json=json_,
    )


def audit(
    env: Env = "almanac",
    out: Annotated[Path | None, typer.Option(help="Write all of it to this file, as `audit.json`.")] = None,
    set_: Set = None,
    trust: Trust = False,
) -> None:
    """Say what can be said of an environment before it is run: whether scheduling can help, and what measuring costs.

    Prints what the static mixture of a prior is predicted to gain over an even one, with its uncertainty, how often
    each text is read, the price of every signal and what it must bring, and the noise of the proxy. Text is counted
    and an untrained learner is read; nothing is trained.
    """
    from curriculum_rl.scripts.audit import show

    show(env, overrides=overrides_of(set_), out=out)
