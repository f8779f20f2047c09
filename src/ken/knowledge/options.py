"""How a corpus is searched: everything about it that may be chosen. What ships was measured (experiments/LOG.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fusion = Literal["rrf", "sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Part of a release: another choice gives other answers."""

    depth: int = 100
    """Candidates from each list; with more, the same questions find the same passages, later."""
    fusion: Fusion = "rrf"
    """How the lists become one: by ranks (Reciprocal Rank Fusion), or as the sum of scores, each list's between 0 and 1."""
    fusion_k: int = 20
    """The constant of Reciprocal Rank Fusion. Three short lists want it smaller than the paper's 60 for long ones."""
    lexical_weight: float = 1.0
    """Of the list by BM25F in the fusion."""
    dense_weight: float = 1.0
    """Of the list by a passage's best window."""
    sentence_weight: float = 1.0
    """Of the list by a passage's best sentence."""
    rescored: int = 300
    """Passages that fusion keeps for the last model: more than there are candidates, which it orders better than fusion."""
    spelling: bool = True
    """Correct words that no readable document holds."""
    acronyms: bool = False
    """Let an acronym count for its long form, and the other way round, where a readable document defines it."""
    names: bool = False
    """The same for other names that documents give ("formerly known as ...")."""
    synonyms: tuple[tuple[str, ...], ...] = ()
    """Words that mean the same, by the operator."""
    compound: bool = True
    """Search for the parts of a compound question, too."""
    feedback: int = 0
    """Passages whose words and vectors are added to the question, which is then searched for again; 0 for none."""
