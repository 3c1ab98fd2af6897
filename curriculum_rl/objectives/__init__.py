"""What is asked of a window of tokens; every objective is token prediction.

An objective turns windows of T + 1 tokens into rows of T inputs, targets and weights. To add one, write a class with
the attributes and the call of `Objective` and name it `module:Class` in an environment file.
"""

from curriculum_rl.objectives.base import Objective, ReadsMore, ReadsTags, Rows, windows_of
from curriculum_rl.objectives.classification import Classification
from curriculum_rl.objectives.detection import AddedTokenDetection, DeletedTokenDetection, ReplacedTokenDetection
from curriculum_rl.objectives.language_modelling import CausalLM, PrefixLM
from curriculum_rl.objectives.masking import MaskedLM, SpanMasking, WholeWordMasking
from curriculum_rl.objectives.pairs import NextSentence, SentenceDistance
from curriculum_rl.objectives.random_label import RandomLabel
from curriculum_rl.objectives.reordering import SentenceOrder, SentenceReordering
from curriculum_rl.objectives.span_corruption import SpanCorruption
from curriculum_rl.objectives.tagging import Tagging
from curriculum_rl.objectives.words import Capitalisation, TokenDocumentRelation

__all__ = [
    "AddedTokenDetection",
    "Capitalisation",
    "CausalLM",
    "Classification",
    "DeletedTokenDetection",
    "MaskedLM",
    "NextSentence",
    "Objective",
    "PrefixLM",
    "RandomLabel",
    "ReadsMore",
    "ReadsTags",
    "ReplacedTokenDetection",
    "Rows",
    "SentenceDistance",
    "SentenceOrder",
    "SentenceReordering",
    "SpanCorruption",
    "SpanMasking",
    "Tagging",
    "TokenDocumentRelation",
    "WholeWordMasking",
    "windows_of",
]
