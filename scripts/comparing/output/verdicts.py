"""What a comparison has shown, in sentences."""

from collections.abc import Mapping
from typing import Any

from curriculum_rl.scripts.comparing.output.lines import by_section

LEVEL = 0.05
NAMES = {"stratified": "stratified", "em-prior": "the static EM prior"}


def verdict(found: Mapping[str, Any]) -> list[str]:
    """What a person may take away, a sentence for each agent; nothing is called better that is not proven.

    Who does not see the target is judged by the mean loss on all corpora (evidence: claims hold within a class).
    """
    agents = [
        entry
        for section, entries in by_section(found)
        for entry in entries
        if section in ("online", "pretrained") and entry["figures"]
    ]
    return [_seeing(entry) if entry["sees_target"] else _blind(entry) for entry in agents]


def _seeing(entry: Mapping[str, Any]) -> str:
    against = entry["figures"]["target_loss"]["against"]
    compared = [_compared(against[reference], name) for reference, name in NAMES.items() if reference in against]
    sentence = f"{entry['label']} {', and '.join(compared)}"
    if entry["headroom"]:
        sentence += f"; headroom captured: {entry['headroom']['mean']:.2f}"
    return f"{sentence}."


def _blind(entry: Mapping[str, Any]) -> str:
    pair = entry["figures"].get("mean_corpus_loss", {}).get("against", {}).get("stratified")
    if pair is None:
        return f"{entry['label']} does not see the target, and no other figure was asked for."
    return f"{entry['label']}, which does not see the target, {_compared(pair, 'stratified')} on all corpora."


def _compared(pair: Mapping[str, Any], reference: str) -> str:
    """Proven is what both the interval and the test over all agents say."""
    if not any(pair["difference"].values()):
        return f"ends exactly where {reference} does"
    mean, low, high, holm = (*(pair["difference"][key] for key in ("mean", "low", "high")), pair["holm"])
    proven = low is not None and not low <= 0 <= high and holm is not None and holm < LEVEL
    direction = "below" if mean < 0 else "above"
    return f"ends {abs(mean):.3f} nats {direction} {reference}" + ("" if proven else " (not proven)")
