"""The schema of an environment file. Light to import: neither torch nor data."""

from curriculum_rl.schema.base import Custom
from curriculum_rl.schema.corpora import (
    AlmanacCorpus,
    CopyCorpus,
    CorpusConfig,
    CorpusSection,
    DatasetCorpus,
    FilesCorpus,
    NoiseCorpus,
    ShuffledCorpus,
    SmallCorpus,
    TokenizerConfig,
    TransformersTokenizer,
)
from curriculum_rl.schema.env import ActionConfig, BudgetConfig, EnvConfig, RewardConfig
from curriculum_rl.schema.learners import LearnerConfig, TransformerLearner, TransformersLearner
from curriculum_rl.schema.targets import (
    FineTuneProxy,
    FineTuneSettings,
    HeldOutLossProxy,
    ProbeProxy,
    ProxyConfig,
    ReportConfig,
)
from curriculum_rl.schema.tasks import CausalLMObjective, ClassificationObjective, MaskedLMObjective, ObjectiveConfig

__all__ = [
    "ActionConfig",
    "AlmanacCorpus",
    "BudgetConfig",
    "CausalLMObjective",
    "ClassificationObjective",
    "CopyCorpus",
    "CorpusConfig",
    "CorpusSection",
    "Custom",
    "DatasetCorpus",
    "EnvConfig",
    "FilesCorpus",
    "FineTuneProxy",
    "FineTuneSettings",
    "HeldOutLossProxy",
    "LearnerConfig",
    "MaskedLMObjective",
    "NoiseCorpus",
    "ObjectiveConfig",
    "ProbeProxy",
    "ProxyConfig",
    "ReportConfig",
    "RewardConfig",
    "ShuffledCorpus",
    "SmallCorpus",
    "TokenizerConfig",
    "TransformerLearner",
    "TransformersLearner",
    "TransformersTokenizer",
]
