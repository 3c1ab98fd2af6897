"""A policy in TensorBoard: a bandit trains, then which command shows what it did, and where to look.

Takes 5 s of one CPU.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from own_corpora import write_environment

from curriculum_rl.recording.recorder import deep_link

LOOK = {
    "policy/heat_map": "images: the whole policy in one picture, tasks by learner tokens; the slider goes back in time",
    "task/probability": "scalars: how likely the agent is to pick each task, a line per task",
    "task/share": "scalars: the part of all rows so far that each task had",
    "proxy/score": "scalars: what the agent is paid to raise",
    "learner/loss": "scalars: training loss, nats a token",
    "ledger/budget_left": "scalars: the share of the budget that is left; agents that measure more train less",
}
"""A few of the tags, and where TensorBoard shows them; the text tab, `how_to_read`, explains all."""


def main(out: Path) -> None:
    """Train as the command line does, and print the command that shows the run and what to look at."""
    run = out / "run"
    command = ["train", "--env", str(write_environment(out)), "--agent", "d-ts", "--out", str(run), "--quiet"]
    print("curriculum-rl", *command)
    subprocess.run([sys.executable, "-m", "curriculum_rl.scripts.main", *command], check=True)
    print(f"tensorboard --logdir {run}")
    print(f"then open {deep_link()}")
    for tag, what in LOOK.items():
        print(f"{tag:20} {what}")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp()))
