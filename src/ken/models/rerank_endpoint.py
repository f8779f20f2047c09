"""A cross-encoder behind an endpoint: wire mapping only.

The wire: `POST /rerank` as Cohere documents it ("Rerank", v2), which Jina, vLLM and llama.cpp follow: a question and
documents go out, `results` of `index` and `relevance_score` come back, best first. Text Embeddings Inference has a bare
form of its own (`texts` go out, a list of `index` and `score` comes back); a server that asks for it gets it from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelInterrupted, ModelRefused
from ken.models.json_endpoint import Address, JsonEndpoint
from ken.models.protocols import RerankPassage

_MALFORMED = {400, 422}


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankEndpoint:
    """Where the cross-encoder is and how long to wait for it, in seconds."""

    base_url: str
    model: str
    api_key: str | None = None
    timeout_s: float = 2.0


class CrossEncoder:
    """A Reranker behind an endpoint. It is asked once for all passages of a question."""

    def __init__(self, endpoint: RerankEndpoint) -> None:
        self.name: str = endpoint.model
        self._endpoint = endpoint
        address = Address(what=f"The reranker {endpoint.model!r}", base_url=endpoint.base_url, api_key=endpoint.api_key)
        self._wire = JsonEndpoint(address)
        self._is_bare = False
        """Whether it wants the form of Text Embeddings Inference."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def score(self, question: str, passages: Sequence[RerankPassage]) -> NDArray[np.float32]:
        """Shape (len(passages),). Raises ModelUnavailable, ModelRefused, ModelInterrupted."""
        if not passages:
            return np.zeros(0, np.float32)
        texts = [passage.text for passage in passages]
        try:
            answer = await self._asked(question, texts)
        except ModelRefused as refused:
            if self._is_bare or refused.status not in _MALFORMED or "texts" not in str(refused):
                raise
            self._is_bare = True
            answer = await self._asked(question, texts)
        return self._read(answer, len(texts))

    async def _asked(self, question: str, texts: list[str]) -> object:
        body: dict[str, object] = (
            {"query": question, "texts": texts, "truncate": True}
            if self._is_bare
            else {"model": self._endpoint.model, "query": question, "documents": texts, "top_n": len(texts)}
        )
        patience = self._endpoint.timeout_s
        return await self._wire.post("/rerank", body, patience_s=patience, attempt_s=patience)

    def _read(self, answer: object, count: int) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = np.full(count, np.nan, np.float32)
        try:
            results = cast("dict[str, object]", answer)["results"] if isinstance(answer, dict) else answer
            for result in cast("list[dict[str, int]]", results):
                place = range(count).index(result["index"])
                scores[place] = result["relevance_score"] if "relevance_score" in result else result["score"]
        except (ValueError, LookupError, TypeError) as error:
            raise ModelInterrupted(
                self._wire.says("did not answer with scores of the passages", "Look at what serves there")
            ) from error
        if not np.isfinite(scores).all():
            what = f"scored {int(np.isfinite(scores).sum())} of {count} passages"
            raise ModelInterrupted(self._wire.says(what, "Look at what serves there"))
        return scores
