"""What a search found for a case, and how right that was."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ken.assistant.classify import standalone
from ken.domain.document import SearchResult
from ken.domain.principal import Principal
from ken.evals import scoring
from ken.evals.cases import Case

PASSAGES = 40
"""Asked of each search, so that ten distinct documents are among them."""


class Searched(Protocol):
    """What can be searched: a library, or one corpus version of it."""

    def search(
        self, query: str, principal: Principal, *, collections: frozenset[str] | None = None, limit: int = 8
    ) -> Awaitable[SearchResult]:
        """The best passages, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What came for a case that has gold, best first."""

    case: Case
    documents: tuple[str, ...]
    """The document of each passage."""
    passages: tuple[str, ...]
    """As they are shown."""
    tokens: tuple[int, ...]

    def figures(self) -> dict[str, float]:
        """Each metric of retrieval by its name, 0 to 1."""
        gold = list(dict.fromkeys(piece.path for piece in self.case.gold))
        return {
            "doc_recall@5": scoring.document_recall(gold, self.documents),
            "doc_hit@1": scoring.top_document(gold, self.documents),
            "mrr@10": scoring.reciprocal_rank(gold, self.documents),
            "evidence_recall@5": scoring.evidence_recall(self._evidence, self.passages),
        }

    def evidence_places(self) -> tuple[int | None, ...]:
        """For each piece of evidence the place of the first passage that holds it, 1 the best; None where none does."""
        texts = [scoring.normalise(text) for text in self.passages]
        return tuple(
            next((place for place, text in enumerate(texts, start=1) if wanted in text), None)
            for wanted in map(scoring.normalise, self._evidence)
        )

    @property
    def _evidence(self) -> Sequence[str]:
        return [piece.evidence for piece in self.case.gold]


async def retrieve(corpus: Searched, case: Case, *, principal: Principal) -> Retrieved:
    """Search for a case as a conversation would, in the collection that it is asked in."""
    query = standalone(case.question, case.messages)
    found = await corpus.search(query, principal, collections=case.collections, limit=PASSAGES)
    return Retrieved(
        case,
        tuple(each.document.id for each in found.evidence),
        tuple(each.passage.shown for each in found.evidence),
        tuple(each.passage.tokens for each in found.evidence),
    )
