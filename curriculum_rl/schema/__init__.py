"""The schema of an environment file. Light to import: neither torch nor data.

Sections are imported from the modules that define them; `KINDS` has those that a `kind` chooses.
"""

from collections.abc import Mapping
from types import MappingProxyType

from curriculum_rl.schema.base import Custom, KindSection, Section
from curriculum_rl.schema.corpora import CORPORA, TOKENIZERS, CorpusConfig, TokenizerConfig
from curriculum_rl.schema.env import EnvConfig
from curriculum_rl.schema.learners import LEARNERS, LearnerConfig
from curriculum_rl.schema.methods import METHODS, MethodConfig
from curriculum_rl.schema.objectives import OBJECTIVES, ObjectiveConfig
from curriculum_rl.schema.proxies import PROXIES, ProxyConfig

KINDS: Mapping[str, tuple[type[KindSection], ...]] = MappingProxyType(
    {
        "corpora": CORPORA,
        "tokenizers": TOKENIZERS,
        "objectives": OBJECTIVES,
        "learners": LEARNERS,
        "methods": METHODS,
        "proxies": PROXIES,
    }
)

__all__ = [
    "KINDS",
    "CorpusConfig",
    "Custom",
    "EnvConfig",
    "KindSection",
    "LearnerConfig",
    "MethodConfig",
    "ObjectiveConfig",
    "ProxyConfig",
    "Section",
    "TokenizerConfig",
]
