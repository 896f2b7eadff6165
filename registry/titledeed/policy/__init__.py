"""Rule packs: what a festival or a law asks, as data, and its evaluation over facts."""

from titledeed.policy.evaluation import evaluate
from titledeed.policy.packs import list_packs, load_pack, parse_pack
from titledeed.policy.rules import RulePack

__all__ = ["RulePack", "evaluate", "list_packs", "load_pack", "parse_pack"]
