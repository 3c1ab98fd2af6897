"""Pictures of a comparison as inline SVG: intervals, learning curves, and mixtures over time."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b3294", "#a6611a", "#b2182b", "#117733")
TASKS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#5f6caf",
    "#a0cbe8", "#ffbe7d", "#8cd17d", "#d37295", "#499894", "#f1ce63", "#d4a6c8", "#fabfd2", "#d7b5a6", "#bab0ac",
)  # fmt: skip
GREYS = ("#444", "#777", "#999")
DASHES = ("5 3", "2 2", "8 3 2 3", "1 3", "10 4", "4 2 1 2")
NARROW, WIDE = 360, 860

Entry = Mapping[str, Any]


def colours(entries: Sequence[Entry]) -> dict[str, tuple[str, str]]:
    """A colour and a dash for every entry: agents stand out, baselines are grey, stratified is black."""
    made: dict[str, tuple[str, str]] = {}
    counts = {"agent": 0, "other": 0}
    for entry in entries:
        kind = "agent" if entry["role"] == "agent" else "other"
        place = counts[kind]
        counts[kind] += 1
        if entry["label"] == "stratified":
            made[entry["label"]] = ("#111", "")
        elif kind == "agent":
            made[entry["label"]] = (COLOURS[place % len(COLOURS)], "")
        else:
            made[entry["label"]] = (GREYS[place % len(GREYS)], DASHES[place % len(DASHES)])
    return made


def _svg(width: int, height: float, body: Sequence[str], title: str) -> str:
    inside = "".join(body)
    return f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(title)}">{inside}</svg>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, fill: str = "#333") -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" fill="{fill}"'
    halo = 'stroke="#fff" stroke-width="3" paint-order="stroke" stroke-linejoin="round"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} {halo}>{escape(text)}</text>'


def _dot(x: float, y: float, colour: str, radius: int) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {where} stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at most so many."""
    span = max(high - low, 1e-9)
    steps = [base * 10.0**power for power in range(-6, 7) for base in (1, 2, 5)]
    step = next(step for step in steps if span / step <= most)
    first = int(low // step)
    return [n * step for n in range(first, first + most + 3) if low - 1e-9 <= n * step <= high + 1e-9]


def forest(rows: Sequence[tuple[str, Mapping[str, Any], str]], width: int) -> str:
    """Differences to stratified with their intervals, one under the other; left of the line is better.

    Args:
        rows: label, estimate (mean, low, high) and colour of each.
        width: of the picture in its own pixels.
    """
    left, right, step = (118 if width == NARROW else 220), 16, 22
    ends = [value for _, one, _ in rows for value in (one["mean"], one["low"], one["high"]) if value is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    pad = 0.06 * max(high - low, 1e-6)
    low, high = low - pad, high + pad
    height = 34 + step * len(rows) + 8

    def x(value: float) -> float:
        return float(left + (value - low) / (high - low) * (width - left - right))

    bottom = 24 + step * len(rows)
    body = []
    for tick in ticks(low, high, 4 if width == NARROW else 8):
        body.append(_line(x(tick), 20, x(tick), bottom, "#e4e4e4"))
        body.append(_text(x(tick), 13, f"{tick:+g}" if tick else "0", anchor="middle"))
    body.append(_line(x(0), 18, x(0), bottom, "#111", width=1.2))
    for place, (label, one, colour) in enumerate(rows):
        y = 34 + step * place
        body.append(_text(left - 8, y + 4, _short(label, 19 if width == NARROW else 36), anchor="end"))
        if one["low"] is not None:
            body.append(_line(x(one["low"]), y, x(one["high"]), y, colour, width=2.5))
        body.append(_dot(x(one["mean"]), y, colour, 4))
    return _svg(width, height, body, "differences to stratified with 95 % intervals")


def curves(found: Mapping[str, Any], entries: Sequence[Entry], width: int) -> str:
    """The proxy over the budget: mean of the seeds, a band from the lowest to the highest, dots for the final report.

    Args:
        found: the document.
        entries: whose curves are drawn.
        width: of the picture in its own pixels.
    """
    chosen = colours(entries)
    drawn = [entry for entry in entries if entry["curves"]]
    if not drawn:
        return ""
    left, right, top = 34, (112 if width == NARROW else 170), 12
    height = max(330 if width == NARROW else 420, 13 * len(drawn) + 70)
    lines = {name: found["baselines"][name] for name in ("unigram", "bigram")} if found["loss_proxy"] else {}
    start = next(i for i, spent in enumerate(drawn[0]["curves"]["spent"]) if spent >= 0.1)
    values = [v for entry in drawn for v in entry["curves"]["mean"][start:]]
    finals = {e["label"]: e["figures"]["target_loss"]["mean"] for e in drawn} if found["loss_proxy"] else {}
    values += finals.values()
    low, high = min(values), max(values)
    near = [value for value in lines.values() if low - 0.6 * (high - low) < value < high + 0.3 * (high - low)]
    low, high = min([low, *near]), max([high, *near])
    pad = 0.03 * max(high - low, 1e-6)
    low, high = low - pad, high + pad
    plot = width - left - right

    def x(spent: float) -> float:
        return left + spent * plot

    def y(value: float) -> float:
        return float(top + (high - min(max(value, low), high)) / (high - low) * (height - top - 34))

    body = _axes(left, plot, (low, high), x, y)
    above: list[str] = []
    for name, value in lines.items():
        # One that is far off stands at the edge, without its line.
        far = "" if value in near else " (below)" if value < low else " (above)"
        if not far:
            body.append(_line(left, y(value), left + plot, y(value), "#b00", dash="6 4"))
        at = y(value) - 4 if value <= high else y(value) + 12
        at -= 12 * (far == " (below)" and name == "unigram")
        above.append(_text(left + 4, at, f"{name} counts {value:.2f}{far}", fill="#b00"))
    for entry in reversed(drawn):
        body += _curve(entry, chosen[entry["label"]], x, y)
        if entry["label"] in finals:
            body.append(_dot(x(1), y(finals[entry["label"]]), chosen[entry["label"]][0], 3))
    body += above
    ends = {entry["label"]: y(finals.get(entry["label"], entry["curves"]["mean"][-1])) for entry in drawn}
    for label, place in _spread(ends, 13, top + 6, height - 34).items():
        colour = chosen[label][0]
        body.append(_line(x(1) + 4, ends[label], x(1) + 14, place, colour, width=0.7))
        body.append(_text(x(1) + 16, place + 4, _short(label, 16 if width == NARROW else 26), fill=colour))
    body.append(_text(left + plot / 2, height - 4, "share of the budget spent", anchor="middle"))
    return _svg(width, height, body, "learning curves")


def _axes(left: float, plot: float, span: tuple[float, float], x: Any, y: Any) -> list[str]:
    low, high = span
    body = []
    for tick in ticks(low, high, 6):
        body.append(_line(left, y(tick), left + plot, y(tick), "#eee"))
        body.append(_text(left - 5, y(tick) + 4, f"{tick:g}", anchor="end"))
    for spent in (0, 0.25, 0.5, 0.75, 1):
        body.append(_line(x(spent), y(high), x(spent), y(low), "#eee"))
        body.append(_text(x(spent), y(low) + 14, f"{spent:.0%}", anchor="middle"))
    return body


def _curve(entry: Entry, style: tuple[str, str], x: Any, y: Any) -> list[str]:
    known, (colour, dash) = entry["curves"], style
    places = [x(spent) for spent in known["spent"]]

    def points(values: Sequence[float]) -> list[str]:
        return [f"{at:.1f},{y(value):.1f}" for at, value in zip(places, values, strict=True)]

    body = []
    if entry["role"] == "agent" or entry["label"] == "stratified":
        around = points(known["low"]) + points(known["high"])[::-1]
        body.append(f'<polygon points="{" ".join(around)}" fill="{colour}" opacity="0.13"/>')
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    body.append(
        f'<polyline points="{" ".join(points(known["mean"]))}" fill="none" stroke="{colour}" '
        f'stroke-width="{1.3 if dash else 2}"{dashed}/>'
    )
    return body


def _spread(places: Mapping[str, float], gap: float, low: float, high: float) -> dict[str, float]:
    """Places of labels, moved apart so that none covers another, and kept inside."""
    order = sorted(places, key=lambda name: places[name])
    out: dict[str, float] = {}
    at = low - gap
    for name in order:
        at = max(places[name], at + gap)
        out[name] = at
    limit = high
    for name in reversed(order):
        out[name] = min(out[name], limit)
        limit = out[name] - gap
    return out


def stream(mixtures: Sequence[Sequence[float]], width: int = NARROW, height: int = 130) -> str:
    """Shares of the tasks over the budget, one on top of the other.

    Args:
        mixtures: (points, K) shares.
        width: of the picture in its own pixels.
        height: likewise.
    """
    left, top, bottom = 2, 2, 16
    points = len(mixtures)
    floor = [0.0] * (points + 1)
    body = []

    def place(n: int, level: float) -> str:
        return f"{left + n / points * (width - 2 * left):.1f},{top + (1 - level) * (height - top - bottom):.1f}"

    for task in range(len(mixtures[0])):
        shares = [mixtures[0][task], *(mixture[task] for mixture in mixtures)]
        ceiling = [min(1.0, under + share) for under, share in zip(floor, shares, strict=True)]
        around = [place(n, v) for n, v in enumerate(floor)] + [place(n, v) for n, v in enumerate(ceiling)][::-1]
        fill = TASKS[task % len(TASKS)]
        body.append(f'<polygon points="{" ".join(around)}" fill="{fill}" stroke="#fff" stroke-width="0.4"/>')
        floor = ceiling
    body += [_text(left, height - 3, "start"), _text(width - left, height - 3, "end of the budget", anchor="end")]
    return _svg(width, height, body, "share of each task over the run")
