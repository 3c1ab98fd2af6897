"""The `curriculum-rl` command: every sub-command, its options and its help. Heavy imports wait until one runs."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from curriculum_rl import __version__
from curriculum_rl.scripts.failing import debuggable

app = typer.Typer(
    help="Train agents that choose what a language model is pretrained on next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Listed = Literal[
    "envs", "agents", "signals", "tasks", "corpora", "tokenizers", "objectives", "learners", "methods", "proxies"
]
Env = Annotated[str, typer.Option(help="A built-in environment (`list envs`) or the path of an environment file.")]
AgentName = Annotated[
    str,
    typer.Option(
        help="Who decides (`list agents`), or `module:Class` of your own. `auto` is a static mixture: the weights "
        "under which the tasks' texts explain the target's best; it measures nothing unless asked."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Everything random derives from it; same seed, same rows.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the environment (`--set budget.updates=200`) or an option of the agent "
        "(`--set agent.window=30`). May be repeated.",
    ),
]


def _trust(wanted: bool) -> bool:
    if wanted:  # where processes that are begun look, too
        os.environ["CURRICULUM_RL_TRUST"] = "1"
    return wanted


Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        callback=_trust,
        help="Let files that are read name classes (`module:Class`), whose code then runs. What is typed here needs no "
        "such word.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"curriculum-rl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself, before any sub-command."""


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The run directory to write; it must not exist yet.")],
    env: Env = "almanac",
    agent: AgentName = "auto",
    seed: Seed = 0,
    timesteps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Segments to learn for, over as many runs as that takes. Default: online agents (bandits and "
            "baselines) play one run; pretrained ones as many runs as their method says, policies (ppo and its like) "
            "16384 segments.",
        ),
    ] = None,
    num_envs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Learners that train side by side in one batched step, each with its own run; a bandit pools what "
            "they show it. Default: 32 for policies (ppo and its like), 16 for regmix, 1 for the others.",
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that the learners are divided among. Default: one per core, where that divides them."
        ),
    ] = None,
    set_: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run directory, or begin it where it had not.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace an existing run: what it has written is deleted, other files stay."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
    trust: Trust = False,
) -> None:
    """Train an agent on an environment and write a run directory.

    Bandits learn inside their one run: by default one episode, which is one pretraining run, and their memory does
    not survive it (the next run's learner is new). PPO is trained over many runs and then used.

    Ctrl-C or SIGTERM stops at the end of the segment; go on with --resume. One process at a time writes a directory.

    The run directory holds config.yaml, versions.json, segments.jsonl, result.json, schedule.json, policy.png, the
    agent, the final learner and TensorBoard's event files.
    """
    from curriculum_rl.scripts.running.request import Request
    from curriculum_rl.scripts.train import train

    request = Request(
        env=env,
        agent=agent,
        seed=seed,
        out=out,
        timesteps=timesteps,
        num_envs=num_envs,
        shards=shards,
        overrides=_overrides(set_),
        quiet=quiet,
    )
    finished = train(request, resume=resume, overwrite=overwrite)
    raise typer.Exit(0 if finished else 130)


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run directory that `train` wrote.")],
    episodes: Annotated[int, typer.Option(min=1, help="Pretraining runs, each with its own fresh seed.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="First of the fresh seeds.")] = 10_000,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Stop online agents from learning; they play their last policy.")
    ] = False,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Play the most probable action. An argmax scheduler plays one for ever."),
    ] = False,
    trust: Trust = False,
) -> None:
    """Play a trained agent on fresh seeds and report the final learners' scores.

    Online agents start each run afresh and go on learning in it, as they did in training, unless --frozen. Actions
    are sampled unless --deterministic.
    """
    from curriculum_rl.scripts.evaluate import evaluate

    evaluate(run, episodes=episodes, seed=seed, frozen=frozen, deterministic=deterministic)


@app.command("list")
def list_(
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    env: Env = "almanac",
    trust: Trust = False,
) -> None:
    """List what there is: environments, agents, signals, kinds of each section, or the tasks of an environment."""
    from curriculum_rl.scripts.listing import show

    show(what, env)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the three runs go; a number is added.")] = Path("runs/demo"),
    agent: AgentName = "auto",
    env: Env = "almanac",
    seed: Seed = 0,
    set_: Set = None,
    trust: Trust = False,
) -> None:
    """Train an agent and two baselines on the embedded default, and compare them in a table (about three minutes)."""
    from curriculum_rl.scripts.demo import demo

    raise typer.Exit(0 if demo(out, agent=agent, env=env, seed=seed, overrides=_overrides(set_)) else 130)


@app.command()
def compare(
    out: Annotated[Path, typer.Option(help="The directory of the comparison; the same command goes on where it was.")],
    agents: Annotated[
        str,
        typer.Option(
            help="Who is compared, separated by commas: `exp3s`, with options `exp3s:step=0.1`, or a pretrained "
            "agent's run directory `ppo@runs/ppo`. An agent of your own is `module:Class`."
        ),
    ],
    env: Env = "almanac",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every agent.")] = 10,
    first_seed: Annotated[int, typer.Option(min=0, help="Of the first run; the others follow.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one per core.")] = None,
    timesteps: Annotated[
        int | None, typer.Option(min=1, help="Segments that a policy is trained for. Default: as for `train`.")
    ] = None,
    static_mixtures: Annotated[
        int,
        typer.Option(
            min=0,
            help="Random static mixtures of which the best is looked for, a run each, and half as many refinements "
            "of the best; 0: none.",
        ),
    ] = 64,
    no_baselines: Annotated[
        bool, typer.Option("--no-baselines", help="Only stratified stands beside the agents.")
    ] = False,
    reach: Annotated[
        list[str] | None,
        typer.Option(
            help="An agent or baseline that gets complete runs at 25, 33 and 50 % of the budget, too (about "
            "doubles its cost). May be repeated."
        ),
    ] = None,
    decompose: Annotated[
        list[str] | None,
        typer.Option(help="Take an agent apart: replay its schedule, shuffle it, play its mean. May be repeated."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0, help="After so many minutes nothing more is begun; the same command goes on. Default: no limit."
        ),
    ] = None,
    set_: Set = None,
    trust: Trust = False,
) -> None:
    """Compare agents with each other and with the baselines at equal total cost, and write a table and a page.

    Every agent and seed is one complete run with the same weights, data and budget of FLOPs, whatever the agent
    measures included. Finished runs are never repeated: stop with Ctrl-C, go on with the same command, add agents or
    seeds later.
    """
    from curriculum_rl.scripts.compare import compare

    compare(
        env,
        agents,
        out=out,
        seeds=seeds,
        first_seed=first_seed,
        jobs=jobs or os.cpu_count() or 1,
        overrides=_overrides(set_),
        timesteps=timesteps,
        static_mixtures=static_mixtures,
        baselines=not no_baselines,
        reach=reach or (),
        decompose=decompose or (),
        minutes=minutes,
    )


@app.command()
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
    what they cost. Text is read as the environment's own prior reads it: what tasks train on, and the target's signal
    split.
    """
    from curriculum_rl.ranking.ranking import MEASURES
    from curriculum_rl.scripts.rank import show

    show(
        env,
        measures=MEASURES if measure is None else [name.strip() for name in measure.split(",")],
        learner=learner,
        rows=rows,
        seed=seed,
        overrides=_overrides(set_),
        json_file=json_file,
        out=out,
    )


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file of stable-baselines3 or of version 0.1, or a run directory.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist yet.")],
    trust: Annotated[
        bool, typer.Option("--trust", help="Read it, and run whatever code is in it: you trust whoever made it.")
    ] = False,
    agent: Annotated[str | None, typer.Option(help="Which agent it is. Default: as the file says.")] = None,
) -> None:
    """Make an agent of this version of a file that stable-baselines3 saved, or version 0.1 of this package.

    Such a file holds pickles: **reading it runs any code that is in it**, so it needs --trust, and no other command
    reads one. What is written holds values and arrays only.
    """
    from curriculum_rl.scripts.converting import import_agent

    import_agent(file, out, agent=agent, trust=trust)


@app.command()
def export(
    source: Annotated[Path, typer.Argument(help="A run directory of an agent with a network, or its agent.zip.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist yet.")],
    to: Annotated[Literal["sb3"], typer.Option(help="The format: that of stable-baselines3's `save`.")] = "sb3",
    agent: Annotated[str | None, typer.Option(help="Which agent it is. Default: as the file says.")] = None,
) -> None:
    """Write a trained policy (ppo and its like) as a file that stable-baselines3's own `load` reads.

    The file holds pickles, as all of stable-baselines3's do: whoever reads it must trust you.
    """
    from curriculum_rl.scripts.converting import export_agent

    export_agent(source, out, agent=agent)


def _overrides(pairs: list[str] | None) -> dict[str, Any]:
    from curriculum_rl.schema.load import parse_override

    return dict(parse_override(pair) for pair in pairs or [])


for _command in app.registered_commands:
    assert _command.callback is not None  # each was given a function
    _command.callback = debuggable(_command.callback)


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line: a user's mistake is one line on stderr and exit status 2; SIGTERM is as Ctrl-C."""
    # One intra-op thread that does not spin: two collapse when the other core is busy. Read when torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    main()
