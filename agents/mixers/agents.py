"""The data mixers as agents: each is the shared shell around one rule."""

from curriculum_rl.agents.mixers.ado import ADO
from curriculum_rl.agents.mixers.aioli import Aioli
from curriculum_rl.agents.mixers.alignment import Alignment
from curriculum_rl.agents.mixers.doge import DoGE
from curriculum_rl.agents.mixers.doremi import DoReMi
from curriculum_rl.agents.mixers.greedy import Greedy
from curriculum_rl.agents.mixers.hedge import AlignedHedge, Hedge
from curriculum_rl.agents.mixers.meta_tartan import MetaTartan
from curriculum_rl.agents.mixers.multidds import MultiDDS
from curriculum_rl.agents.mixers.odm import ODM
from curriculum_rl.agents.mixers.odm_released import ODMReleased
from curriculum_rl.agents.mixers.pike import PiKE
from curriculum_rl.agents.mixers.r_and_b import RAndB
from curriculum_rl.agents.mixers.regmix import RegMix
from curriculum_rl.agents.mixers.rollout import Rollout
from curriculum_rl.agents.mixers.shell import MixerShell
from curriculum_rl.agents.mixers.skill_it import SkillIt


class ODMAgent(MixerShell):
    """ODM, the paper's formula (`curriculum_rl.agents.mixers.odm`)."""

    rule_class = ODM


class ODMReleasedAgent(MixerShell):
    """ODM, the released rule (`curriculum_rl.agents.mixers.odm_released`)."""

    rule_class = ODMReleased


class DoReMiAgent(MixerShell):
    """DoReMi (`curriculum_rl.agents.mixers.doremi`)."""

    rule_class = DoReMi


class DoGEAgent(MixerShell):
    """DoGE (`curriculum_rl.agents.mixers.doge`)."""

    rule_class = DoGE


class MultiDDSAgent(MixerShell):
    """MultiDDS-S (`curriculum_rl.agents.mixers.multidds`)."""

    rule_class = MultiDDS


class SkillItAgent(MixerShell):
    """Skill-it (`curriculum_rl.agents.mixers.skill_it`)."""

    rule_class = SkillIt


class AioliAgent(MixerShell):
    """Aioli (`curriculum_rl.agents.mixers.aioli`)."""

    rule_class = Aioli


class ADOAgent(MixerShell):
    """ADO (`curriculum_rl.agents.mixers.ado`)."""

    rule_class = ADO


class PiKEAgent(MixerShell):
    """PiKE (`curriculum_rl.agents.mixers.pike`)."""

    rule_class = PiKE


class RAndBAgent(MixerShell):
    """R&B's balance step (`curriculum_rl.agents.mixers.r_and_b`)."""

    rule_class = RAndB


class RegMixAgent(MixerShell):
    """RegMix (`curriculum_rl.agents.mixers.regmix`)."""

    rule_class = RegMix


class MetaTartanAgent(MixerShell):
    """META-TARTAN (`curriculum_rl.agents.mixers.meta_tartan`)."""

    rule_class = MetaTartan


class GreedyAgent(MixerShell):
    """Greedy one-step look-ahead (`curriculum_rl.agents.mixers.greedy`)."""

    rule_class = Greedy


class RolloutAgent(MixerShell):
    """Greedy on rollout credit (`curriculum_rl.agents.mixers.rollout`).

    `curriculum-rl train` measures for it every 8th segment, as the guarded agents do: a measurement is dear.
    """

    rule_class = Rollout


class HedgeAgent(MixerShell):
    """Fixed-share Hedge on look-ahead gains (`curriculum_rl.agents.mixers.hedge`)."""

    rule_class = Hedge


class AlignedHedgeAgent(MixerShell):
    """Fixed-share Hedge on gradient cosines (`curriculum_rl.agents.mixers.hedge`)."""

    rule_class = AlignedHedge


class AlignmentAgent(MixerShell):
    """Exponentiated gradient on alignments (`curriculum_rl.agents.mixers.alignment`)."""

    rule_class = Alignment
