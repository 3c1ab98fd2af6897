"""Priming for parameter-efficient fine-tuning: a backbone meta-learned so that few parameters are enough later."""

from curriculum_rl.entities import entity_f1
from curriculum_rl.methods.priming.loop import Look, PrimingRun, adapt, in_turn, prime
from curriculum_rl.methods.priming.ner import Sentence, read_languages, read_sentences, tags_of, without_shared
from curriculum_rl.methods.priming.run import Problem, primed, problem, tuned
from curriculum_rl.methods.priming.settings import ARMS, Arm, Priming, Settings
from curriculum_rl.methods.priming.tagger import Tagger
from curriculum_rl.methods.priming.tuning import score, tune

__all__ = [
    "ARMS",
    "Arm",
    "Look",
    "Priming",
    "PrimingRun",
    "Problem",
    "Sentence",
    "Settings",
    "Tagger",
    "adapt",
    "entity_f1",
    "in_turn",
    "prime",
    "primed",
    "problem",
    "read_languages",
    "read_sentences",
    "score",
    "tags_of",
    "tune",
    "tuned",
    "without_shared",
]
