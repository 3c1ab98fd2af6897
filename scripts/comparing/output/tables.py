"""The tables of a comparison as plain text, for the terminal and for the page alike."""

from collections.abc import Mapping
from typing import Any

from curriculum_rl.pretraining.counting import CountingLosses
from curriculum_rl.scripts.comparing.analysis.statistics import LEAST
from curriculum_rl.scripts.comparing.output.cost_tables import costs, setups
from curriculum_rl.scripts.comparing.output.lines import NONE, Table, groups_of, interval, name_of, signed


def tables(found: Mapping[str, Any]) -> list[Table]:
    """All tables of a document."""
    before = setups(found)
    return [_scores(found), *decompositions(found), _others(found), costs(found), *([before] if before else [])]


def decompositions(found: Mapping[str, Any]) -> list[Table]:
    """What each agent that was taken apart is made of."""
    columns = ("what it is worth", "difference of", "nats [95 %]")
    notes = (
        "Negative: it lowers the loss on the target. The parts add up to the agent's difference to stratified.",
        "Feedback includes what it cost to get it: the controls measure nothing and train for longer.",
    )
    made = []
    for label, parts in found["decomposition"].items():
        rows = tuple((part["what"], part["of"], signed(part)) for part in parts)
        made.append(Table(f"What {label} is made of", columns, (("from the agent down to stratified", rows),), notes))
    return made


def _scores(found: Mapping[str, Any]) -> Table:
    columns = (
        "",
        "target loss",
        "- stratified [95 %]",
        "p (Holm)",
        "- prior [95 %]",
        "headroom [95 %]",
        "sees target",
    )
    counting = CountingLosses(**found["baselines"])
    reference = found["agents"]["stratified"]["figures"].get("target_loss")
    notes = [
        f"Target loss: nats per token on the report split, lower is better, mean of {len(found['seeds'])} seeds.",
        f"Counting alone reaches: {counting}.",
        "Headroom: (agent - stratified) / (best static mixture - stratified); above 1 means that dynamics paid.",
    ]
    if "em-prior" in found["agents"]:
        notes.insert(2, "Prior: the row em-prior, a static mixture; it costs nothing.")
    notes += _no_headroom(found)
    if reference and reference["mean"] >= counting.bigram:
        notes.append("Stratified does not end below the bigram line: these runs are too short to make claims about.")
    if len(found["seeds"]) < 6:
        least = 2 / 2 ** len(found["seeds"])
        notes.append(f"With {len(found['seeds'])} seeds p cannot be below {min(least, 1.0):.2g}: nothing is proven.")
    groups = groups_of(found, _score_row, len(columns))
    return Table("Loss on the target", columns, groups, tuple(notes), brief=frozenset({4, 5}))


def _no_headroom(found: Mapping[str, Any]) -> list[str]:
    """Why nothing has a headroom although a best static mixture was searched; at most one sentence."""
    best = next((entry for label, entry in found["agents"].items() if label.startswith("best-static")), None)
    against = best["figures"].get("target_loss", {}).get("against", {}) if best else {}
    if best is None or best["headroom"] or "stratified" not in against:
        return []
    pair = against["stratified"]["difference"]
    return [
        f"Headroom is not defined here: the best static mixture - stratified is {signed(pair)}, and it has to be "
        f"below -{LEAST} with an interval below 0."
    ]


def _score_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    figure = entry["figures"]["target_loss"]
    pair = figure["against"].get("stratified")
    prior = figure["against"].get("em-prior")
    holm = pair["holm"] if pair else None
    return (
        name_of(entry),
        f"{figure['mean']:.3f}",
        signed(pair["difference"]) if pair else NONE,
        NONE if holm is None else f"{holm:.3f}",
        signed(prior["difference"]) if prior else NONE,
        interval(entry["headroom"], ".2f"),
        "yes" if entry["sees_target"] else "no",
    )


def _others(found: Mapping[str, Any]) -> Table:
    difference = "- stratified [95 %]"
    score = "entity F1" if _tagged(found) else "accuracy"
    columns = ("", score, difference, "log-loss", "all corpora", difference, "report - reward")
    notes = (
        f"{score[0].upper()}{score[1:]} and log-loss: after a few-shot fine-tune on the target's labels. All corpora: "
        "mean loss on what each corpus held out, by which agents that do not see the target are judged.",
        "Report - reward: loss on the report split minus loss on the windows the agent was paid on, in nats; an agent "
        "that fitted its proxy rather than the target shows a larger gap than stratified.",
    )
    groups = groups_of(found, _other_row, len(columns))
    return Table(
        "Downstream, and on all corpora", columns, groups, notes, spare=frozenset({3}), brief=frozenset({2, 5})
    )


def _tagged(found: Mapping[str, Any]) -> bool:
    """Whether the target's labels are tags of words."""
    return any("downstream_entity_f1" in entry["figures"] for entry in found["agents"].values())


def _other_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    scored = "downstream_entity_f1" if "downstream_entity_f1" in entry["figures"] else "downstream_accuracy"
    accuracy, corpora = (_pair(entry, figure) for figure in (scored, "mean_corpus_loss"))
    log_loss = entry["figures"].get("downstream_log_loss")
    gap = entry["gap"]
    return (
        name_of(entry),
        *accuracy,
        f"{log_loss['mean']:.3f}" if log_loss else NONE,
        *corpora,
        f"{gap['mean']:+.3f}" if gap else NONE,
    )


def _pair(entry: Mapping[str, Any], figure: str) -> tuple[str, str]:
    known = entry["figures"].get(figure)
    if known is None:
        return NONE, NONE
    pair = known["against"].get("stratified")
    return f"{known['mean']:.3f}", signed(pair["difference"]) if pair else NONE
