# ruff: noqa: PLC0415 - endpoints bring an HTTP client, which a home without them can do without
"""The part of the composition root that makes embedders: of settings, and of what a home remembers.

Which embedder reads documents and questions is for the home to say, not for ken.toml alone: where documents have vectors of
another one, that one goes on until all of them have been embedded anew (`knowledge/reembed.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import numpy as np

from ken.endpoint_settings import EmbedderSettings, RerankerSettings
from ken.errors import InvalidSetting
from ken.gateway.counting import Counting
from ken.gateway.embedding import GatewayEmbedder, measured
from ken.gateway.reranking import GatewayReranker, Scores
from ken.gateway.retry import Retry, RetryRules
from ken.gateway.seam import D, Dependency, R
from ken.gateway.stack import Stacks, Terms
from ken.gateway.vitals import Vital
from ken.knowledge.index import Indexes
from ken.knowledge.rerank import Reranking
from ken.knowledge.spaces import Spaces
from ken.models.embedding import EmbedderEndpoint
from ken.models.minilm import MiniLM
from ken.models.missing_embedder import MissingEmbedder
from ken.models.protocols import Embedder, RerankPassage, TokenCounter
from ken.models.reranking import RerankEndpoint
from ken.settings import with_key
from ken.storage.embedders import EmbedderBook, EmbedderRecord

_PROVIDER = "openai"
"""OpenTelemetry's name of those who are spoken to as OpenAI is."""
_PATIENT = RetryRules(retries=8, longest_s=30.0, longest_asked_s=60.0)
"""A sync waits for an endpoint that starts anew; a question's deadline ends sooner."""

if TYPE_CHECKING:
    from ken.models.rerank_endpoint import EndpointScores
    from ken.models.steady_embedder import SteadyEmbedder


async def open_spaces(
    settings: EmbedderSettings | None,
    *,
    local: MiniLM,
    book: EmbedderBook,
    has_documents: bool,
    indexes_of: Callable[[int, int | None], Indexes],
    stacks: Stacks,
) -> tuple[Spaces, Embedder]:
    """The vector spaces of a home, and the embedder in use.

    Raises StorageError; ModelError where the home has no documents yet and the endpoint can't be asked what it gives.
    """
    maker = _Maker(settings, local, book, stacks)
    spaces = Spaces(
        book=book, wanted=maker.wanted, want=maker.want, make=maker.make, indexes_of=indexes_of, made=maker.made
    )
    in_use = await anyio.to_thread.run_sync(book.in_use)
    if not in_use and has_documents:  # of a time when there was only the local one
        in_use = local.name
        await anyio.to_thread.run_sync(book.put, EmbedderRecord(name=in_use, dimensions=local.dimensions))
        await anyio.to_thread.run_sync(book.use, in_use)
    if not has_documents or in_use == maker.wanted:
        embedder = await maker.want()
        await anyio.to_thread.run_sync(book.use, maker.wanted)
        return spaces, embedder
    embedder = await anyio.to_thread.run_sync(spaces.embedder, in_use)
    return spaces, embedder or MissingEmbedder(in_use, local.dimensions, reason="Nothing is remembered of it.")


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes each embedder once."""

    settings: EmbedderSettings | None
    local: MiniLM
    book: EmbedderBook
    stacks: Stacks
    made: dict[str, Embedder] = field(default_factory=dict[str, Embedder])

    @property
    def wanted(self) -> str:
        return self.local.name if self.settings is None else _endpoint(self.settings).name

    async def want(self) -> Embedder:
        """The embedder that ken.toml names, remembered from now on. Raises ModelError, InvalidSetting."""
        if self.settings is None:
            record = EmbedderRecord(name=self.local.name, dimensions=self.local.dimensions)
            self.made[self.local.name] = self.local
        else:
            endpoint = _endpoint(self.settings)
            record = await anyio.to_thread.run_sync(self.book.get, endpoint.name) or await _first_seen(endpoint)
            record = replace(record, settings=self.settings.model_dump(mode="json"))
            _check(self.settings, record)
            if record.name not in self.made:
                self.made[record.name] = self._steady(endpoint, record)
        await anyio.to_thread.run_sync(self.book.put, record)
        return self.made[record.name]

    def make(self, record: EmbedderRecord) -> Embedder:
        """An embedder that is remembered; its key is looked for where it was then."""
        missing = partial(MissingEmbedder, record.name, record.dimensions)
        if record.name == self.local.name:
            return self.local
        if not record.settings:
            return missing(reason="it is the local one of another version of Ken.")
        try:
            remembered = with_key(EmbedderSettings.model_validate(record.settings), "former [embedder] table")
        except (ValueError, InvalidSetting) as error:
            return missing(reason=str(error))
        return self._steady(_endpoint(remembered), record)

    def _steady(self, endpoint: EmbedderEndpoint, record: EmbedderRecord) -> SteadyEmbedder:
        from ken.models.openai_embedder import EndpointEmbeddings
        from ken.models.steady_embedder import PROBE, SteadyEmbedder

        wire = EndpointEmbeddings(endpoint)
        counting = Counting.plain(self.local.count)
        terms = Terms(called=endpoint.model, provider=_PROVIDER, counting=counting, retry=_PATIENT)
        embeddings = self.stacks.over(wire, terms)
        return SteadyEmbedder(
            GatewayEmbedder(embeddings, endpoint, dimensions=record.dimensions, tokens=self.local, close=wire.aclose),
            np.frombuffer(record.probe, dtype=np.float32),
            probe=partial(measured, embeddings, endpoint, text=PROBE),
        )


async def _first_seen(endpoint: EmbedderEndpoint) -> EmbedderRecord:
    from ken.models.openai_embedder import EndpointEmbeddings
    from ken.models.steady_embedder import PROBE

    wire = EndpointEmbeddings(endpoint)
    try:
        vector = await measured(_tried(wire), endpoint, text=PROBE)
    finally:
        await wire.aclose()
    return EmbedderRecord(name=endpoint.name, dimensions=len(vector), probe=vector.tobytes())


def _tried(wire: Dependency[R, D]) -> Dependency[R, D]:
    """An endpoint that is looked at and not used yet: asked again, and in no books."""
    return Retry(wire, rules=RetryRules(), vital=Vital(wire.name))


def _check(settings: EmbedderSettings, record: EmbedderRecord) -> None:
    if settings.dimensions is not None and settings.dimensions != record.dimensions:
        raise InvalidSetting(
            f"The embedder {settings.model!r} was asked for vectors of {settings.dimensions} numbers and gave "
            f"{record.dimensions}. Remove `dimensions` from [embedder], or choose a model that knows it."
        )
    first = settings.first_pass_dimensions
    if first is not None and first >= record.dimensions:
        raise InvalidSetting(
            f"first_pass_dimensions is {first}, and the vectors of {settings.model!r} have {record.dimensions} numbers. "
            "Choose a smaller one, or remove it from [embedder]."
        )


def _endpoint(settings: EmbedderSettings) -> EmbedderEndpoint:
    return EmbedderEndpoint(
        base_url=str(settings.base_url),
        model=settings.model,
        api_key=settings.api_key.get_secret_value() if settings.api_key is not None else None,
        is_azure=settings.kind == "azure",
        api_version=settings.api_version,
        dimensions=settings.dimensions,
        revision=settings.revision,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
        batch_size=settings.batch_size,
        max_tokens=settings.max_tokens,
        question_s=settings.question_s,
        timeout_s=settings.timeout_s,
    )


def reranking(settings: RerankerSettings, *, tokens: TokenCounter, stacks: Stacks) -> Reranking:
    """The cross-encoder of the `[reranker]` table, at work."""
    terms = Terms(called=settings.model, provider=_PROVIDER, counting=Counting.plain(tokens.count))
    encoder = _reranker(settings, lambda wire: stacks.over(wire, terms))
    return Reranking(encoder, candidates=settings.candidates, patience_s=settings.timeout_s)


def _reranker(settings: RerankerSettings, around: Callable[[EndpointScores], Scores]) -> GatewayReranker:
    from ken.models.rerank_endpoint import EndpointScores

    endpoint = RerankEndpoint(
        base_url=str(settings.base_url),
        model=settings.model,
        api_key=settings.api_key.get_secret_value() if settings.api_key is not None else None,
        timeout_s=settings.timeout_s,
    )
    wire = EndpointScores(endpoint)
    return GatewayReranker(around(wire), endpoint, close=wire.aclose)


async def embedder_answers(settings: EmbedderSettings) -> str:
    """Have one sentence embedded; what came of it, in a few words. Raises ModelError, InvalidSetting."""
    record = await _first_seen(_endpoint(settings))
    _check(settings, record)
    return f"{settings.base_url} answers, with vectors of {record.dimensions} numbers"


async def reranker_answers(settings: RerankerSettings) -> str:
    """Have two passages scored; what came of it, in a few words. Raises ModelError."""
    from ken.models.steady_embedder import PROBE

    encoder = _reranker(settings, _tried)
    try:
        await encoder.score("When is a berth free?", [RerankPassage(0, PROBE), RerankPassage(1, "Nothing is here.")])
    finally:
        await encoder.aclose()
    return f"{settings.base_url} answers"
