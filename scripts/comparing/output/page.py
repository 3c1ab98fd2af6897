"""A comparison as one HTML page that needs nothing else: pictures inline, no script, readable on a phone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from curriculum_rl.scripts.comparing.output import drawings
from curriculum_rl.scripts.comparing.output.cost_tables import used
from curriculum_rl.scripts.comparing.output.lines import SECTIONS, Table, by_section, is_crash, name_of
from curriculum_rl.scripts.comparing.output.tables import decompositions, tables
from curriculum_rl.scripts.comparing.output.verdicts import verdict

STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;color:#222;margin:0 auto;max-width:1180px;padding:12px 16px 60px;
background:#fff}
h1{font-size:1.5rem;margin:.6rem 0}h2{font-size:1.2rem;margin:2rem 0 .4rem;border-top:1px solid #ddd;padding-top:1rem}
h3{font-size:1rem;margin:.8rem 0 .2rem}p,li{max-width:75ch}.dim{color:#666;font-size:.87rem}
svg{width:100%;height:auto;display:block;font-family:inherit}
.wide{display:none}@media(min-width:800px){.wide{display:block}.narrow{display:none}}
.scroll{overflow-x:auto;border:1px solid #e5e5e5;border-radius:6px;margin:.6rem 0}
table{border-collapse:collapse;font-size:.87rem;width:100%}
th,td{padding:5px 9px;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}
th{background:#f6f6f6;font-weight:600}td:first-child,th:first-child{text-align:left;position:sticky;left:0;background:#fff;
min-width:7.5rem;max-width:44vw;white-space:normal;overflow-wrap:break-word}th:first-child{background:#f6f6f6}
tr.part td{font-style:italic;background:#fafafa;color:#555;text-align:left;white-space:normal}
td.crash{text-align:left;color:#a00;white-space:normal}
.streams{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(320px,100%),1fr));gap:14px 22px}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:.82rem;margin:.5rem 0}
.legend i{display:inline-block;width:11px;height:11px;margin-right:5px;border-radius:2px}
.bar{display:flex;height:15px;background:#f3f3f3;border-radius:3px;overflow:hidden}.bar i{display:block;height:100%}
.bars{display:grid;grid-template-columns:minmax(90px,max-content) 1fr auto;gap:4px 10px;align-items:center;
font-size:.84rem}
.bars span:nth-child(3n){text-align:right;max-width:6rem;color:#555}.bars span{overflow-wrap:anywhere}
.matrix td,.matrix th{padding:3px 4px;text-align:center;min-width:24px}.matrix td:first-child{text-align:left}
"""
PURPOSES = {
    "train": "#4e79a7",
    "data": "#86bcb6",
    "proxy": "#f28e2b",
    "signal": "#e15759",
    "lookahead": "#b07aa1",
    "agent": "#59a14f",
    "logging": "#9c755f",
}


def html(found: Mapping[str, Any]) -> str:
    """The whole page of a document."""
    apart = decompositions(found)
    score, others, costs, *setups = [table for table in tables(found) if table not in apart]
    parts = [
        f"<h1>Which schedule? {escape(found['env'])}</h1>",
        _facts(found),
        _list(verdict(found)),
        "<h2>Against stratified</h2>",
        "<p>Final loss on the target, minus stratified's under the same seed, in nats. Left of the line is better; a "
        "bar is the 95 % interval, and one that crosses the line proves nothing.</p>",
        _both(lambda width: drawings.forest(_differences(found), width)),
        _table(score),
        *(_table(table) for table in apart),
        "<h2>While they learn</h2>",
        f"<p>{_curve_caption(found)}</p>",
        _both(lambda width: drawings.curves(found, _everybody(found), width)),
        "<h2>What they trained on</h2>",
        "<p>Share of every task in the batches over the run, mean over seeds.</p>",
        _legend({task: drawings.TASKS[n % len(drawings.TASKS)] for n, task in enumerate(_tasks(found))}),
        f'<div class="streams">{"".join(_stream(entry) for entry in _everybody(found))}</div>',
        "<h2>What it cost</h2>",
        *_bars(found, "flops", "FLOPs of one run, as a share of the largest"),
        *_bars(found, "seconds", "Seconds of one run, without the final report"),
        _table(costs),
        *(_table(table) for table in setups),
        "<h2>Who beats whom</h2>",
        "<p>In how many percent of the seeds the row ends below the column on the target.</p>",
        _matrix(found),
        "<h2>Other figures</h2>",
        _table(others),
        "<h2>Who is who</h2>",
        _who(found),
    ]
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f"<head>{meta}<title>{escape(found['env'])}</title><style>{STYLE}</style></head>"
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>\n'


def _everybody(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [entry for _, entries in by_section(found) for entry in entries]


def _both(draw: Any) -> str:
    """A picture drawn for a phone and for a desk; the style sheet shows one of them."""
    return "".join(
        f'<div class="{name}">{draw(width)}</div>'
        for name, width in (("narrow", drawings.NARROW), ("wide", drawings.WIDE))
    )


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def _facts(found: Mapping[str, Any]) -> str:
    budget = ", ".join(f"{value:g} {unit}" for unit, value in found["budget"].items())
    return (
        f'<p class="dim">{len(found["tasks"])} tasks, {len(found["seeds"])} seeds. Under one seed every run starts '
        f"from the same weights and reads the same data, and each may spend what {escape(budget)} of training cost, "
        "its proxy and signals included.</p>"
    )


def _differences(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], str]]:
    entries = _everybody(found)
    chosen = drawings.colours(entries)
    pairs = [(entry, entry["figures"].get("target_loss", {}).get("against", {}).get("stratified")) for entry in entries]
    return [(name_of(entry), pair["difference"], chosen[entry["label"]][0]) for entry, pair in pairs if pair]


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = []
    for heading, group in table.groups:
        rows.append(f'<tr class="part"><td colspan="{len(table.columns)}">{escape(heading)}</td></tr>')
        rows += [_row(cells) for cells in group]
    notes = "".join(f'<p class="dim">{escape(note)}</p>' for note in table.notes)
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<h3>{escape(table.title)}</h3><div class="scroll">{body}</div>{notes}'


def _row(cells: tuple[str, ...]) -> str:
    if is_crash(cells):
        name, said = escape(cells[0]), escape(cells[1])
        return f'<tr><td>{name}</td><td class="crash" colspan="{len(cells) - 1}">{said}</td></tr>'
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _curve_caption(found: Mapping[str, Any]) -> str:
    if not found["loss_proxy"]:
        return "The proxy's score, higher is better; bands go from the lowest to the highest seed."
    return (
        "Loss on the few windows of the target that the proxy reads (not those of the report), lower is better; bands "
        "go from the lowest to the highest seed, dots at the end are the loss on the report split. The red lines are "
        "what counting words, or pairs of words, on the rows that stratified reads reaches without any network."
    )


def _legend(names: Mapping[str, str]) -> str:
    chips = (f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in names.items())
    return f'<div class="legend">{"".join(chips)}</div>'


def _tasks(found: Mapping[str, Any]) -> list[str]:
    """Those of everybody, and then those that only some entries have."""
    own = (task for entry in found["agents"].values() for task in entry["tasks"])
    return list(dict.fromkeys([*found["tasks"], *own]))


def _stream(entry: Mapping[str, Any]) -> str:
    if not entry["curves"]:
        return ""
    tasks, mixtures = entry["tasks"], entry["curves"]["mixture"]
    means = [sum(mixture[task] for mixture in mixtures) / len(mixtures) for task in range(len(tasks))]
    most = [task for task in sorted(range(len(tasks)), key=lambda task: -means[task])[:2] if means[task] > 0.01]
    said = ", ".join(f"{tasks[task]} {means[task]:.0%}" for task in most)
    even = max(means) - min(means) < 0.02
    caption = "about even" if even else f"most: {said}"
    below = f'<p class="dim" style="margin:0">{escape(caption)}</p>'
    return f"<div><h3>{escape(name_of(entry))}</h3>{drawings.stream(mixtures)}{below}</div>"


def _bars(found: Mapping[str, Any], kind: str, title: str) -> list[str]:
    names = used(found, kind)
    entries = [entry for entry in _everybody(found) if entry["cost"]]
    totals = {entry["label"]: sum(entry["cost"][kind].get(name, 0.0) for name in names) for entry in entries}
    largest = max(totals.values(), default=0.0)
    if not largest:
        return []
    cells = []
    for entry in entries:
        pieces = "".join(
            f'<i style="width:{entry["cost"][kind].get(name, 0.0) / largest:.2%};background:{PURPOSES[name]}"></i>'
            for name in names
        )
        total = totals[entry["label"]]
        said = f"{total / largest:.0%}" if kind == "flops" else f"{total:.1f} s"
        setup = f" + {entry['setup']['runs']:.0f} runs before" if entry["setup"] else ""
        cells.append(f'<span>{escape(entry["label"])}</span><div class="bar">{pieces}</div><span>{said}{setup}</span>')
    legend = _legend({name: PURPOSES[name] for name in names})
    return [f"<h3>{escape(title)}</h3>", legend, f'<div class="bars">{"".join(cells)}</div>']


def _matrix(found: Mapping[str, Any]) -> str:
    order = [entry["label"] for entry in _everybody(found)]
    places = {label: place for place, label in enumerate(found["wins"]["order"])}
    numbers = {label: number for number, label in enumerate(order, start=1)}
    rows = [
        f"<tr><td>{numbers[row]} {escape(row)}</td>"
        + "".join(_cell(found["wins"]["matrix"][places[row]][places[column]]) for column in order)
        + "</tr>"
        for row in order
    ]
    head = "".join(f"<th>{numbers[label]}</th>" for label in order)
    return f'<div class="scroll"><table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def _cell(won: float | None) -> str:
    if won is None:
        return "<td></td>"
    strength = abs(won - 0.5) * 1.1
    colour = f"rgba(0,114,178,{strength:.2f})" if won >= 0.5 else f"rgba(213,94,0,{strength:.2f})"
    return f'<td style="background:{colour}">{100 * won:.0f}</td>'


def _who(found: Mapping[str, Any]) -> str:
    rows = []
    for section, entries in by_section(found):
        rows.append(f"<h3>{escape(SECTIONS[section])}</h3>")
        said = (
            f"<li><b>{escape(name_of(entry))}</b>: {escape(entry['about'])}.{_origin(entry)}</li>" for entry in entries
        )
        rows.append(f"<ul>{''.join(said)}</ul>")
    return "".join(rows)


def _origin(entry: Mapping[str, Any]) -> str:
    """What an agent that was asked for learns from, and who thought of it."""
    if entry["role"] != "agent":
        return ""
    learns = entry["feedback"].replace("none", "nothing")
    return f' <span class="dim">Learns from: {escape(learns)}. Source: {escape(entry["source"])}.</span>'
