"""Names that somebody else chose: none leads out of the folder that is written, and none becomes a tag of a page."""

import os
from pathlib import Path
from typing import Any

from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.compare import compare

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../outside",
    "/tmp/absolute",
    "a/b",
    "\\n..",
)


def test_nothing_is_written_outside_and_nothing_is_markup(tiny: dict[str, Any], tmp_path: Path) -> None:
    noise = {name: {"kind": "noise", "tokens": 2000} for name in HOSTILE}
    content = {**tiny, "name": HOSTILE[0], "corpora": {**tiny["corpora"], **noise}, "tasks": [{}]}
    config = configs.load(content, {"budget.updates": 8, "report.finetune": None})
    out = tmp_path / "some" / "deep" / "place"
    found = compare(
        config.model_dump(mode="json"),
        "random,exp3s:step=0.1",
        out=out,
        seeds=1,
        static_mixtures=0,
        baselines=False,
        quiet=True,
    )
    assert {*HOSTILE} < {task.rpartition(".")[0] for task in found["tasks"]}
    page = (out / "compare.html").read_text(encoding="utf-8").lower()
    assert "&lt;script&gt;" in page and not any(tag in page for tag in ("<script", "<img"))
    written = {Path(folder) / name for folder, _, names in os.walk(tmp_path) for name in names}
    assert written and all(path.resolve().is_relative_to(out) for path in written)
