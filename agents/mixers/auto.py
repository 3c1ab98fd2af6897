"""Auto: alignments on top of a sharp divergence prior, under the guard."""

from curriculum_rl.agents.mixers.alignment import Alignment
from curriculum_rl.agents.mixers.shell import MixerShell
from curriculum_rl.agents.shell.wrapping import Wrapping


class AutoAgent(MixerShell):
    """What we would choose ourselves: alignments on top of a sharp divergence prior, under the guard.

    The prior's temperature and the step were chosen on `almanac-small`, `almanac-traps` and benchmarks/citations.yaml.
    `curriculum-rl train` measures for it every 8th segment; elsewhere set `signals.every`, or it pays for signals after
    every segment.
    """

    rule_class = Alignment
    wrappers = Wrapping(prior=0.05, guard=0.05)
