"""Which scheduler helps? `curriculum-rl compare` on four environments, and the page of the documentation from it.

    python benchmarks/schedulers.py [--out runs/schedulers] [--jobs 2] [--seeds 10] [--only reviews] [--page FILE]

Eleven agents and all baselines, ten seeds, everything charged. V1, what `auto` was at first, was set on
`almanac-small`, `almanac-traps` and citations; reviews is the family that it was not tuned on, and none of its tasks
is the target's own text. Stop it with Ctrl-C; the same command goes on. Environments that need CURRICULUM_RL_DATA are
left out where it is absent.
"""

import argparse
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / "examples" / "environments"
DATA = ROOT.parent / "shared" / "data"
V1 = "alignment:prior=0.05:guard=0.05"
AGENTS = f"auto,{V1},alignment,multidds,aioli,d-ts,exp3s,odm,doremi,doge,ac-odm"


@dataclass(frozen=True)
class Comparison:
    """One environment and how long its runs are.

    Attributes:
        env: name or path.
        updates: of a run.
        about: a line for the page.
        reach: labels that get runs at parts of the budget.
        more: other settings by dotted key.
    """

    env: str
    updates: int
    about: str
    reach: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


COMPARISONS = {
    "reviews": Comparison(
        str(ENVIRONMENTS / "reviews.yaml"),
        1000,
        "Nothing was tuned here; no task is the target's own text.",
        reach=("auto", V1),
    ),
    "citations": Comparison(
        str(ENVIRONMENTS / "citations.yaml"),
        400,
        f"The settings of `{V1}` were tried here; no task is the target's own text.",
    ),
    "almanac-small": Comparison("almanac-small", 300, f"The settings of `{V1}` were tried here."),
    "almanac-traps": Comparison("almanac-traps", 300, f"The settings of `{V1}` were tried here, on longer runs."),
}


def main() -> None:
    """Run the comparisons and write the page."""
    from curriculum_rl.scripts.compare import compare

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/schedulers"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--agents", default=AGENTS)
    parser.add_argument("--timesteps", type=int, default=800, help="segments that a policy is trained for")
    parser.add_argument("--static-mixtures", type=int, default=64)
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, default=list(COMPARISONS))
    parser.add_argument("--updates", type=int, help="of every run, instead of each environment's own")
    parser.add_argument("--page", type=Path, help="a Markdown file that gets all tables; pictures go beside it")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(DATA))
    sections = []
    for name in given.only:
        chosen = COMPARISONS[name]
        if chosen.env.endswith(".yaml") and not Path(os.environ["CURRICULUM_RL_DATA"]).is_dir():
            print(f"{name}: left out, CURRICULUM_RL_DATA names no folder")
            continue
        begun = time.perf_counter()
        compare(
            chosen.env,
            given.agents,
            out=given.out / name,
            seeds=given.seeds,
            jobs=given.jobs,
            overrides={"budget.updates": given.updates or chosen.updates, **chosen.more},
            timesteps=given.timesteps,
            static_mixtures=given.static_mixtures,
            reach=chosen.reach,
        )
        print(f"{name}: {(time.perf_counter() - begun) / 60:.1f} minutes with {given.jobs} processes")
        sections.append(_section(given.out / name, chosen))
        if given.page:
            given.page.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(given.out / name / "compare.html", given.page.with_name(f"{given.page.stem}-{name}.html"))
    if given.page:
        given.page.write_text("\n".join([_head(given), *sections]), encoding="utf-8")


def _head(given: argparse.Namespace) -> str:
    only = "" if set(given.only) == set(COMPARISONS) else f" --only {' '.join(given.only)}"
    return (
        "# Which scheduler helps?\n\n"
        f"Made by `python benchmarks/schedulers.py{only} --page docs/schedulers.md`; nothing here was written by hand. "
        "How to read it: [compare.md](compare.md). Pictures: "
        + ", ".join(f"[{name}]({given.page.stem}-{name}.html)" for name in given.only)
        + ".\n"
    )


def _section(folder: Path, chosen: Comparison) -> str:
    title, _, rest = (folder / "compare.md").read_text(encoding="utf-8").partition("\n")
    return f"{title}\n\n{chosen.about}\n{rest}"


if __name__ == "__main__":
    main()
