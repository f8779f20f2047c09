"""A cross-encoder behind an endpoint: wire mapping only.

The wire: `POST /rerank` as Cohere documents it ("Rerank", v2), which Jina, vLLM and llama.cpp follow: a question and
documents go out, `results` of `index` and `relevance_score` come back, best first. Text Embeddings Inference has a bare
form of its own (`texts` go out, a list of `index` and `score` comes back); a server that asks for it gets it from then on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelInterrupted, ModelRefused
from ken.models.connections import Connections
from ken.models.json_endpoint import JsonEndpoint
from ken.models.openai_answer import tokens
from ken.models.openai_embedder import read_usage
from ken.models.refusal import member
from ken.models.reranking import RerankDelta, RerankEndpoint, RerankRequest
from ken.models.wire import Address

_MALFORMED = {400, 422}


class EndpointScores:
    """Scores of documents for a question, in one attempt: a dependency of the gateway (`gateway/seam.py`)."""

    def __init__(self, endpoint: RerankEndpoint, *, connections: Connections | None = None) -> None:
        self.name: str = endpoint.model
        self._endpoint = endpoint
        address = Address(what=f"The reranker {endpoint.model!r}", base_url=endpoint.base_url, api_key=endpoint.api_key)
        self._json = JsonEndpoint(address, endpoint.timeout_s, connections=connections)
        self._is_bare = False
        """Whether it wants the form of Text Embeddings Inference."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._json.aclose()

    async def stream(self, request: RerankRequest) -> AsyncGenerator[RerankDelta]:
        """Yield the scores, all at once. Raises ModelUnavailable, ModelRefused, ModelInterrupted."""
        try:
            answer = await self._asked(request)
        except ModelRefused as refused:
            if self._is_bare or refused.status not in _MALFORMED or "texts" not in str(refused):
                raise
            self._is_bare = True
            answer = await self._asked(request)
        billed = member(member(answer, "meta"), "billed_units")
        yield RerankDelta(
            self._read(answer, len(request.documents)),
            read_usage(answer) or read_usage({"usage": {"prompt_tokens": member(billed, "input_tokens")}}),
            tokens(billed, "search_units"),
        )

    async def _asked(self, request: RerankRequest) -> object:
        documents = list(request.documents)
        body: dict[str, object] = (
            {"query": request.question, "texts": documents, "truncate": True}
            if self._is_bare
            else {
                "model": self._endpoint.model,
                "query": request.question,
                "documents": documents,
                "top_n": len(documents),
            }
        )
        return await self._json.post("/rerank", body, deadline=request.deadline)

    def _read(self, answer: object, count: int) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = np.full(count, np.nan, np.float32)
        try:
            results = cast("dict[str, object]", answer)["results"] if isinstance(answer, dict) else answer
            for result in cast("list[dict[str, int]]", results):
                place = range(count).index(result["index"])
                scores[place] = result["relevance_score"] if "relevance_score" in result else result["score"]
        except (ValueError, LookupError, TypeError) as error:
            raise ModelInterrupted(
                self._json.says("did not answer with scores of the passages", "Look at what serves there")
            ) from error
        if not np.isfinite(scores).all():
            what = f"scored {int(np.isfinite(scores).sum())} of {count} passages"
            raise ModelInterrupted(self._json.says(what, "Look at what serves there"))
        return scores
