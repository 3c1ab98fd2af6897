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
from curriculum_rl.schema.env import ActionConfig, BudgetConfig, EnvConfig, RewardConfig, SignalsConfig
from curriculum_rl.schema.learners import LearnerConfig, LightConfig, TransformerLearner, TransformersLearner
from curriculum_rl.schema.methods import (
    MetaTrainMethod,
    MethodConfig,
    MultitaskMethod,
    PrimingMethod,
    TartanMethod,
)
from curriculum_rl.schema.objectives import ObjectiveConfig
from curriculum_rl.schema.targets import (
    FineTuneProxy,
    FineTuneSettings,
    HeadProxy,
    HeldOutLossProxy,
    HeldOutTasksProxy,
    ProbeProxy,
    ProxyConfig,
    ReportConfig,
)

__all__ = [
    "ActionConfig",
    "AlmanacCorpus",
    "BudgetConfig",
    "CopyCorpus",
    "CorpusConfig",
    "CorpusSection",
    "Custom",
    "DatasetCorpus",
    "EnvConfig",
    "FilesCorpus",
    "FineTuneProxy",
    "FineTuneSettings",
    "HeadProxy",
    "HeldOutLossProxy",
    "HeldOutTasksProxy",
    "LearnerConfig",
    "LightConfig",
    "MetaTrainMethod",
    "MethodConfig",
    "MultitaskMethod",
    "NoiseCorpus",
    "ObjectiveConfig",
    "PrimingMethod",
    "ProbeProxy",
    "ProxyConfig",
    "ReportConfig",
    "RewardConfig",
    "ShuffledCorpus",
    "SignalsConfig",
    "SmallCorpus",
    "TartanMethod",
    "TokenizerConfig",
    "TransformerLearner",
    "TransformersLearner",
    "TransformersTokenizer",
]
