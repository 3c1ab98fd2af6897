"""The laws on RegMix's own tables: transfer to larger models, whole regions left out, distance, and intervals.

    python benchmarks/laws.py [--tables data/regmix_mixtures] [--draws 3] [--parts transfer regions distance intervals]

All laws are fitted to the same runs of 1M parameters and asked about the same others; tables are Markdown. Regret is
what the run that looks best ends above the best one, in nats, mean over losses. A region is
all runs in which one domain has the largest share, of domains with at least ten. Errors and widths are in standard
deviations of the loss over the 512 runs. Skips, and says so, where the tables are not there.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from curriculum_rl.envs.closed_form.mixture_runs import MixtureRuns, read_runs
from curriculum_rl.mixtures import distance
from curriculum_rl.mixtures.interval import LEVEL
from curriculum_rl.mixtures.law import LAWS, MixtureLaw
from curriculum_rl.mixtures.trees import Trees, boosted

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

TABLES = Path(os.environ.get("CURRICULUM_RL_DATA", "data")) / "regmix_mixtures"
SIZES = (16, 24, 32, 64, 128, 256)
FEWEST = 10  # runs of a region
PARTS = ("transfer", "regions", "distance", "intervals")


def table(folder: Path, part: str, size: str) -> MixtureRuns:
    """RegMix's runs, `train` or `test`, of `1m` or `60m` parameters."""
    files = [folder / f"{part}_mixture_{size}.csv.gz", folder / f"{part}_pile_loss_{size}.csv.gz"]
    return read_runs(files, shares="train_", losses="metric/")


def ranked(predicted: Floats, losses: Floats) -> tuple[float, float, float]:
    """Spearman over runs: mean over losses, the worst of them, and that of the mean loss."""
    each = [spearmanr(p, t).statistic for p, t in zip(predicted.T, losses.T, strict=True)]
    return float(np.mean(each)), min(each), spearmanr(predicted.mean(axis=1), losses.mean(axis=1)).statistic


def regret(predicted: Floats, losses: Floats) -> float:
    """What the run that looks best ends above the best one, nats, mean over losses."""
    picked = np.take_along_axis(losses, predicted.argmin(axis=0)[None], axis=0)
    return float((picked - losses.min(axis=0)).mean())


def regions(runs: MixtureRuns) -> Iterator[tuple[int, Booleans]]:
    """Domains, and the runs in which each has the largest share."""
    largest = runs.mixtures.argmax(axis=1)
    for task in np.unique(largest):
        if (largest == task).sum() >= FEWEST:
            yield int(task), largest == task


def line(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print(
        "|",
        " | ".join(f"{c:.3f}".replace("0.", ".", 1) if isinstance(c, float) else str(c) for c in cells),
        "|",
        flush=True,
    )


def head(*cells: str) -> None:
    """Print the head of one."""
    print()
    line(*cells)
    line(*["---"] * len(cells))


def transfer(fitted: MixtureRuns, held: Sequence[MixtureRuns], draws: int) -> None:
    """Held-out runs, after all runs and after few of them."""
    columns = (f"{size}: {what}" for size in ("1M", "60M") for what in ("mean", "worst", "mean loss", "regret"))
    head("fitted runs", "law", *columns, "s")
    for count in (*SIZES, len(fitted.losses)):
        picked = [np.random.default_rng(seed).permutation(len(fitted.losses))[:count] for seed in range(draws)]
        for kind in LAWS:
            if count < LAWS[kind].least_runs:
                continue
            begun, found = time.process_time(), []
            for rows in picked if count < len(fitted.losses) else picked[:1]:
                law = MixtureLaw(kind, fitted.mixtures[rows], fitted.losses[rows])
                both = [(law.predict(runs.mixtures), runs.losses) for runs in held]
                found.append(np.concatenate([(*ranked(*one), regret(*one)) for one in both]))
            line(count, kind, *np.mean(found, axis=0).tolist(), (time.process_time() - begun) / len(found))


def without_regions(fitted: MixtureRuns, kind: str, losses: Floats) -> Iterator[tuple[int, Booleans, MixtureLaw]]:
    """Each region: its domain, its runs, and a law that is fitted to losses (R, M) of all others."""
    for task, held in regions(fitted):
        yield task, held, MixtureLaw(kind, fitted.mixtures[~held], losses[~held])


def errors(law: MixtureLaw, mixtures: Floats, losses: Floats, spread: Floats) -> Floats:
    """(R, M) predictions less losses, in standard deviations."""
    return (law.predict(mixtures) - losses) / spread


def rms(values: Floats) -> float:
    """Root of the mean square."""
    return float(np.sqrt((values**2).mean()))


def left_out(fitted: MixtureRuns, larger: MixtureRuns) -> None:
    """Whole regions, of 1M and of 60M parameters, by laws that never saw a run of them."""
    columns = ("mean", "worst", "error", "60M mean", "60M worst")
    head("left out", "runs", *(f"{kind}: {what}" for kind in LAWS for what in columns))
    spread = fitted.losses.std(axis=0)
    rows: dict[tuple[str, str], list[float]] = {}
    for kind in LAWS:
        for task, held, law in without_regions(fitted, kind, fitted.losses):
            mixtures, losses = fitted.mixtures[held], fitted.losses[held]
            also = larger.mixtures.argmax(axis=1) == task
            row = [*ranked(law.predict(mixtures), losses)[:2], rms(errors(law, mixtures, losses, spread))]
            row += ranked(law.predict(larger.mixtures[also]), larger.losses[also])[:2]
            name = fitted.tasks[task].removeprefix("the_pile_"), f"{held.sum()} + {also.sum()}"
            rows.setdefault(name, []).extend(row)
    for name, row in rows.items():
        line(*name, *row)
    line("mean of regions", "", *np.mean(list(rows.values()), axis=0).tolist())


def apart(fitted: MixtureRuns, unseen: MixtureRuns) -> None:
    """What the limit of distance tells: how often it is passed, and errors on both sides of it."""
    even = np.full(len(fitted.tasks), 1 / len(fitted.tasks))
    print(f"\nlimit {distance.limit(fitted.mixtures):.3f}, stratified at {distance.nearest(even, fitted.mixtures):.3f}")
    head("law", "held-out runs far", "their error", "of regions far", "error near", "error far")
    spread = fitted.losses.std(axis=0)
    for kind in LAWS:
        law = MixtureLaw(kind, fitted.mixtures, fitted.losses)
        known, own = law.far(unseen.mixtures), rms(errors(law, unseen.mixtures, unseen.losses, spread))
        seen = [
            (law.far(fitted.mixtures[held]), errors(law, fitted.mixtures[held], fitted.losses[held], spread))
            for _, held, law in without_regions(fitted, kind, fitted.losses)
        ]
        far, off = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        line(kind, f"{known.sum()} of {len(known)}", own, f"{far.sum()} of {len(far)}", rms(off[~far]), rms(off[far]))


def intervals(fitted: MixtureRuns, unseen: MixtureRuns) -> None:
    """How many runs lie within an interval made to hold `LEVEL` of them, and how wide it is."""
    parts = ("held-out runs", "far runs of regions", "near runs of regions")
    head("loss", "interval", *(f"{part}: {what}" for part in parts for what in ("held", "width")))
    place = fitted.outcomes.index("the_pile_pile_cc_val_loss")
    for name, (loss, later) in {
        "Pile-CC": (fitted.losses[:, place], unseen.losses[:, place]),
        "mean of 13": (fitted.losses.mean(axis=1), unseen.losses.mean(axis=1)),
    }.items():
        for kind in LAWS:
            law = MixtureLaw(kind, fitted.mixtures, loss[:, None])
            row, seen = held_in(law.interval(unseen.mixtures)[..., 0], later, loss.std()), []
            for _, held, law in without_regions(fitted, kind, loss[:, None]):
                ends = law.interval(fitted.mixtures[held])[..., 0]
                seen.append(np.stack([*ends, loss[held], law.far(fitted.mixtures[held])]))
            found = np.concatenate(seen, axis=1)
            sides = (found[:3, found[3] == side] for side in (1, 0))
            line(name, kind, *row, *(cell for side in sides for cell in held_in(side[:2], side[2], loss.std())))
        tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        plain = Trees([boosted(fitted.mixtures, loss, objective="quantile", alpha=tail) for tail in tails])
        ends = np.sort(plain.predict(unseen.mixtures).T, axis=0)
        line(name, "1,000 quantile trees of the loss itself", *held_in(ends, later, loss.std()), "", "", "", "")


def held_in(ends: Floats, true: Floats, spread: float) -> tuple[float, float]:
    """Share of (R,) losses within (2, R) limits, and the limits' mean width."""
    return float(((true >= ends[0]) & (true <= ends[1])).mean()), float((ends[1] - ends[0]).mean() / spread)


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=TABLES)
    parser.add_argument("--draws", type=int, default=3, help="random choices of few runs")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    settings = parser.parse_args()
    if not settings.tables.is_dir():
        print(f"skipped: RegMix's tables are not at {settings.tables} (--tables, or CURRICULUM_RL_DATA)")
        return
    fitted, small, large = (table(settings.tables, *of) for of in (("train", "1m"), ("test", "1m"), ("test", "60m")))
    tables = {
        "transfer": lambda: transfer(fitted, (small, large), settings.draws),
        "regions": lambda: left_out(fitted, large),
        "distance": lambda: apart(fitted, small),
        "intervals": lambda: intervals(fitted, small),
    }
    for part in settings.parts:
        tables[part]()


if __name__ == "__main__":
    main()
