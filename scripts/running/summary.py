"""The table that `train` and `demo` end with."""

from typing import Any

from rich.table import Table

from curriculum_rl.pretraining.counting import CountingLosses

SCORES = ("downstream_accuracy", "downstream_entity_f1")
"""Figures of a final report of which more is better."""
NO_BETTER = "(no better)"


def summary(results: list[dict[str, Any]]) -> Table:
    """Agents side by side: score on the target, share of each task, tokens, seconds, overhead."""
    env = results[0]["env"]
    table = Table(title=f"{env}: every agent at the same total cost" if len(results) > 1 else env)
    table.add_column("", no_wrap=True)
    for result in results:
        table.add_column(result["agent"], justify="right")
    rows = {
        "target loss (nats)": "target_loss",
        "downstream accuracy": "downstream_accuracy",
        "downstream entity F1": "downstream_entity_f1",
    }
    for name, key in rows.items():
        values = [(result["final"] or {}).get(key) for result in results]
        if any(value is not None for value in values):
            words = [f" {NO_BETTER}" if is_no_better(result, results, key) else "" for result in results]
            shown = ["-" if value is None else f"{value:.3f}" for value in values]
            table.add_row(name, *(value + word for value, word in zip(shown, words, strict=True)))
    table.add_row("mean corpus loss", *(_mean_loss(result) for result in results), end_section=True)
    for task in results[0]["share"]:
        table.add_row(f"share {task}", *(f"{result['share'][task]:.1%}" for result in results))
    table.add_section()
    if any(result["pruned"] for result in results):
        table.add_row("pruned", *("\n".join(result["pruned"]) or "-" for result in results))
    table.add_row("learner tokens", *(f"{result['tokens']:,}" for result in results))
    table.add_row("seconds", *(f"{result['wall_seconds']:.1f}" for result in results))
    table.add_row("overhead", *(f"{result['overhead']:.1%}" for result in results))
    table.caption = f"target loss of counting alone: {CountingLosses(**results[0]['baselines'])}"
    if any(is_no_better(result, results, key) for result in results for key in SCORES):
        table.caption += f"; {NO_BETTER}: the loss is lower than stratified's, the downstream score is not higher"
    return table


def is_no_better(result: dict[str, Any], results: list[dict[str, Any]], score: str) -> bool:
    """Whether a run's loss is lower than stratified's and its downstream score is not higher.

    Args:
        result: of the run.
        results: of all, that of `stratified` among them; else the answer is no.
        score: key of a figure of which more is better.
    """
    other = next((one["final"] for one in results if one["agent"] == "stratified"), None) or {}
    mine = result["final"] or {}
    if score not in SCORES or not {score, "target_loss"} <= mine.keys() & other.keys():
        return False
    return bool(mine["target_loss"] < other["target_loss"] and mine[score] <= other[score])


def _mean_loss(result: dict[str, Any]) -> str:
    value = (result["final"] or {}).get("mean_corpus_loss")
    return "-" if value is None else f"{value:.3f}"
