"""Commands that play runs: train, evaluate, demo, compare. Heavy imports wait until one runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from curriculum_rl.scripts.commands.options import AgentName, Env, Seed, Set, Trust, overrides_of


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
        overrides=overrides_of(set_),
        quiet=quiet,
    )
    finished = train(request, resume=resume, overwrite=overwrite)
    raise typer.Exit(0 if finished else 130)


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

    raise typer.Exit(0 if demo(out, agent=agent, env=env, seed=seed, overrides=overrides_of(set_)) else 130)


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
        overrides=overrides_of(set_),
        timesteps=timesteps,
        static_mixtures=static_mixtures,
        baselines=not no_baselines,
        reach=reach or (),
        decompose=decompose or (),
        minutes=minutes,
    )
