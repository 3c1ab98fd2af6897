"""One pretraining run, segment by segment, its outcomes, its report, and what stratified batches score."""

from curriculum_rl.pretraining.run import Pretraining

__all__ = ["Pretraining"]
