"""One pretraining run, segment by segment, its outcomes, its report, and what stratified batches and counting reach."""

from curriculum_rl.pretraining.run import Pretraining

__all__ = ["Pretraining"]
