"""The families of environments that schedulers are designed and judged on: what they are made of, and their budgets.

    python benchmarks/families.py [--only toys news] [--stratified] [--page docs/families.md]

Which text is in which family, and why, says `families/partition.yaml`. Without options the texts are read (minutes, the
first time) and the tables are printed. `--stratified` plays the one run of a family that sets its budget, stratified
batches under a selection seed, no agent, where `families/stratified.json` keeps none of this text and these settings.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import partition
from family import Family, family_of, play_stratified

KEPT = partition.FILE.with_name("stratified.json")
NOTES = """Objectives: of the tasks; the target is always scored as `causal_lm`. Nearest: the corpus whose words are
nearest to the target's signal split, Jensen-Shannon, bits. Apart: the same between two corpora, mean of all pairs.
Sources of the prior: exp of the entropy of the corpora's shares in the static prior that `auto` plays. Passes: over a
corpus, by all its tasks, where every task gets as many rows; of the corpora with the fewest and the most. Windows: of
the target's report split.

Stratified: one run under a selection seed, loss on the target. Bigram, smoothed and single: the lines of counting alone
on the rows that it reads ([compare.md](compare.md)); it is to end below *bigram*. Where few rows are read many times
over (`commands`), counts grow and pseudo-counts do not: *bigram* is easy there, and *smoothed* says more. Score:
downstream, after a few-shot fine-tune on the target's labels. Seconds: without the report, on a machine that did other
things besides. Lines of families that were not run here: [log.md](log.md)."""
HEAD = """# Families of environments

Made by `python benchmarks/families.py --page docs/families.md`; no figure here was written by hand.

Text that has chosen the design of a scheduler is no evidence for it. So every corpus in reach has one role, which
[partition.yaml](../benchmarks/families/partition.yaml) gives it with the reason, written before any agent ran on a
report family: *development* families may choose designs, *report* families judge a design that is finished, once, and
*pool* is text that no family reads yet, for training policies. No corpus has two roles, and no target of a report
family is in a development family (`benchmarks/partition.py`, a test).

The files stand in [benchmarks/families](../benchmarks/families); `CURRICULUM_RL_DATA` names the folder of the texts.
Each can be played with `--set target.train=true`, too. On `slices` nothing can be gained, so it counts in no win rate;
it names a class of its own, so commands need `--trust`."""


def page(families: list[Family], kept: dict[str, Any]) -> str:
    """The page of the documentation."""
    parts = [HEAD]
    for role in ("report", "development"):
        chosen = [family for family in families if family.role == role]
        if chosen:
            listed = [_listed(family) for family in chosen]
            parts += [
                f"## {role.capitalize()}",
                *("\n".join(some) for some in (_table(chosen), _budgets(chosen, kept), listed)),
            ]
    return "\n\n".join([*parts, NOTES]) + "\n"


def _table(families: list[Family]) -> list[str]:
    head = "family | K | objectives | tokens of a corpus | passes | nearest | apart | sources of the prior | windows"
    rows = [f"| {head} |", "| --- | ---: | --- | ---: | ---: | --- | ---: | ---: | ---: |"]
    for family in families:
        tokens = sorted(source.tokens for source in family.sources)
        passes = sorted(source.passes for source in family.sources)
        near = family.nearest
        cells = [
            family.name,
            str(family.tasks),
            ", ".join(f"`{name}`" for name in family.objectives),
            f"{tokens[0]:,} to {tokens[-1]:,}",
            f"{passes[0]:.2f} to {passes[-1]:.2f}",
            f"{near.name}, {near.bits:.3f}",
            f"{family.apart:.3f}",
            f"{family.effective:.1f} of {len(family.sources)}",
            f"{family.windows:,}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _budgets(families: list[Family], kept: dict[str, Any]) -> list[str]:
    head = "| family | updates | rows | stratified | bigram | below it | smoothed | single | score | seconds |"
    rows = [head, "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- | ---: |"]
    for family in families:
        run = kept.get(family.name)
        cells = [family.name, f"{family.updates:,}", f"{family.rows:,}"]
        if run is None or run["print"] != family.print:
            rows.append(f"| {' | '.join([*cells, *('not run',), *('',) * 6])} |")
            continue
        below = run["bigram"] - run["target_loss"]
        cells += [f"{run['target_loss']:.3f}", f"{run['bigram']:.3f}", f"yes, {below:.3f}" if below > 0 else "**no**"]
        cells += [
            f"{run['smoothed']:.3f}",
            f"{run['single']:.3f} ({run['corpus']})",
            _score(run),
            f"{run['seconds']:.0f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _score(run: dict[str, Any]) -> str:
    """The downstream score that people read, where the target has labels."""
    names = {"downstream_entity_f1": "entity F1", "downstream_accuracy": "accuracy"}
    return next((f"{run[key]:.3f} {name}" for key, name in names.items() if key in run), "")


def _listed(family: Family) -> str:
    listed = ", ".join(
        f"{source.name} {source.tokens:,} ({source.passes:.2f}; {source.bits:.3f})" for source in family.sources
    )
    return f"* **{family.name}**: {family.about} Tokens (passes; bits): {listed}."


def main() -> None:
    """Read, play what was asked for, print or write."""
    roles = partition.read().families
    files = {Path(name).stem: (partition.ROOT / name, role) for role, names in roles.items() for name in names}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=files, default=list(files), metavar="FAMILY", help="else all")
    parser.add_argument("--stratified", action="store_true", help="play the run that sets each budget, if not kept")
    parser.add_argument("--page", type=Path, help="a Markdown file that gets the tables")
    given = parser.parse_args()
    os.environ.setdefault("CURRICULUM_RL_DATA", str(partition.ROOT.parent / "shared" / "data"))
    os.environ["CURRICULUM_RL_TRUST"] = "1"
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    families = []
    for name in given.only:
        file, role = files[name]
        families.append(family_of(file, role))
        if given.stratified and kept.get(name, {}).get("print") != families[-1].print:
            kept[name] = {"print": families[-1].print, **play_stratified(file)}
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    written = page(families, kept)
    if given.page:
        given.page.write_text(written, encoding="utf-8")
    else:
        print(written)


if __name__ == "__main__":
    main()
