"""The part of the composition root that puts an assistant of an earlier release together again, and says what of it can't be had.

What people set is kept with a release: models, routes, search, passages, turns of the conversation. What is Ken's own (the words of
its prompts, its guard) and what the documents were cut and embedded by are there in their present form alone. Documents are those
of today.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from pydantic import BaseModel, ConfigDict, ValidationError

from ken.assistant.answer import Assistant
from ken.assistant.parts import Parts
from ken.domain.answer import TaskType
from ken.domain.released import KnownRelease
from ken.domain.wire import Json
from ken.errors import Conflict, NotFound, StorageError
from ken.gateway.difficulty import Estimator
from ken.gateway.fallback import Fallback
from ken.gateway.route import Routes, Tier, TierName
from ken.gateway.vitals import Vitals
from ken.knowledge.confirmed import ConfirmedQuestions
from ken.knowledge.corpus import Corpus
from ken.knowledge.late import LateInteraction
from ken.knowledge.library import Library
from ken.knowledge.rerank import Reranking
from ken.models.minilm import MiniLM
from ken.models.protocols import ChatModel
from ken.providers import Providers
from ken.releases.known import fields_of, rebuilt
from ken.releases.release import Release
from ken.search_settings import SearchSettings
from ken.settings import Settings
from ken.storage.confirmed import ConfirmedAnswers
from ken.storage.database import Database
from ken.storage.releases import ReleaseBook


class RouteRecipe(BaseModel):
    """How questions were sent to tiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiers: Mapping[TierName, tuple[str, ...]]
    threshold: float
    tasks: Mapping[TaskType, TierName]
    escalates: bool
    escalate_above: float
    max_tokens: Mapping[TaskType, int]
    capped: tuple[TaskType, ...]
    bias: float
    weights: Mapping[str, float]


class Recipe(BaseModel):
    """What answers of a release are made with, as far as settings say it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default_model: str
    models: Mapping[str, str]
    """What stands behind each name: its endpoint, and what that calls it."""
    passages: int
    history_turns: int
    share: float
    """Of the passages' text that a prompt keeps."""
    search: SearchSettings
    reranker: str
    routes: RouteRecipe

    @property
    def stored(self) -> dict[str, Json]:
        """As it is kept."""
        return cast("dict[str, Json]", self.model_dump(mode="json"))


def recipe(settings: Settings, routes: Routes) -> Recipe:
    """What answers are made with at present."""
    return Recipe(
        default_model=settings.default_model,
        models={each.name: f"{each.model} at {each.base_url}" for each in settings.models},
        passages=settings.passages,
        history_turns=settings.history_turns,
        share=settings.compress_passages_to,
        search=settings.search,
        reranker="" if settings.reranker is None else f"{settings.reranker.model} at {settings.reranker.base_url}",
        routes=RouteRecipe(
            tiers={name: tier.models for name, tier in routes.tiers.items()},
            threshold=routes.threshold,
            tasks=routes.tasks,
            escalates=routes.escalates,
            escalate_above=routes.escalate_above,
            max_tokens=routes.max_tokens,
            capped=tuple(sorted(routes.capped)),
            bias=routes.estimator.bias,
            weights=routes.estimator.weights,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reruns:
    """Assistants of releases: the present one's, and those that can be had again."""

    parts: Parts
    """Of the present release, without the answer cache; its questions are tests."""
    present: Recipe
    library: Library
    vitals: Vitals
    book: ReleaseBook
    reread: Callable[[int], Reranking]
    """The reranker that reads so many passages word by word."""
    confirmed: Callable[[], ConfirmedQuestions]

    def kept(self) -> Reruns:
        """Keep what the present release stands for, where that isn't known; a home that is only opened stays as it is."""
        with contextlib.suppress(StorageError):
            known = self.book.get(self.parts.release.id)
            if known is None or known.settings != self.present.stored:
                self.served()
        return self

    def served(self) -> None:
        """Keep what the present release stands for, and that it is served now. On a full disk it isn't kept."""
        release = self.parts.release
        with contextlib.suppress(StorageError):
            self.book.know(release.id, fields=fields_of(release), settings=self.present.stored, at=time.time())

    def assistant(self, release_id: str | None, *, model: str | None) -> Assistant:
        """What answers as a release did; None stands for the present one. It reads the database.

        Raises NotFound for a release that nothing is known of, Conflict where something of it can't be had any more.
        """
        if release_id is None or release_id == self.parts.release.id:
            return Assistant(self.parts)
        known = self.book.get(release_id)
        if known is None:
            raise NotFound(
                f"Nothing was kept of the release {release_id!r}: it was served before releases were, or never. "
                "`GET /api/releases` lists those that are known.",
                param="release",
            )
        if lacking := self.lacking(known, model=model):
            raise Conflict(
                f"The release {release_id!r} can't be had again: {'; '.join(lacking)}. Choose another release, or the present one.",
                param="release",
            )
        release = rebuilt(known)
        assert release is not None  # noqa: S101 - `lacking` has looked
        return Assistant(self._as_then(Recipe.model_validate(known.settings), release))

    def lacking(self, known: KnownRelease, *, model: str | None = None) -> tuple[str, ...]:
        """What of a release can't be had any more, in words; of its models, only `model` where that is asked for."""
        then = rebuilt(known)
        try:
            told = Recipe.model_validate(known.settings)
        except ValidationError:
            told = None
        if then is None or told is None:
            return ("this Ken describes releases in another way than the one that served it",)
        return (*self._of_ken(then), *self._of_endpoints(told, model))

    def _of_ken(self, then: Release) -> Iterator[str]:
        now = self.parts.release
        if then.prompt_version != now.prompt_version:
            yield f"its prompt was {then.prompt_version!r}, and this Ken has {now.prompt_version!r}"
        if then.guard_version != now.guard_version:
            yield f"its guard was {then.guard_version!r}, and this Ken has {now.guard_version!r}"
        if then.index_configuration != now.index_configuration:
            yield "documents were cut or embedded in another way, and that index is gone"

    def _of_endpoints(self, then: Recipe, model: str | None) -> Iterator[str]:
        now = self.present
        asked = (
            [model]
            if model is not None
            else [then.default_model, *(each for chain in then.routes.tiers.values() for each in chain)]
        )
        for name in dict.fromkeys(asked):
            if name not in self.parts.models and name not in then.routes.tiers:
                yield f"there is no model {name!r} any more"
            elif then.models.get(name, now.models.get(name)) != now.models.get(name):
                yield f"the model {name!r} was {then.models[name]}, and is {now.models.get(name, 'another one')}"
        if then.reranker and then.reranker != now.reranker:
            yield f"its reranker was {then.reranker}, which isn't set any more"

    def _as_then(self, told: Recipe, release: Release) -> Parts:
        parts = self.parts
        chains: dict[str, ChatModel] = {
            name: Fallback(name, [parts.models[each] for each in chain if each in parts.models], vitals=self.vitals)
            for name, chain in told.routes.tiers.items()
            if chain != self.present.routes.tiers.get(name)
        }
        return replace(
            parts,
            release=release,
            default_model=told.default_model if told.default_model in parts.models else parts.default_model,
            models={**parts.models, **chains},
            limits=replace(parts.limits, passages=told.passages, history_turns=told.history_turns, share=told.share),
            asks_back=told.search.ask_back,
            routes=self._routes(told.routes),
            corpora=_SearchedAs(self.library, told.search, self._reranking(told), self.confirmed),
        )

    def _routes(self, told: RouteRecipe) -> Routes:
        windows = self.parts.windows
        return Routes(
            tiers={
                name: Tier(
                    name=name,
                    models=chain,
                    room=min(
                        (window.context - window.answer for each in chain if (window := windows.get(each))), default=0
                    ),
                )
                for name, chain in told.tiers.items()
            },
            estimator=Estimator(bias=told.bias, weights=told.weights, origin="its release"),
            threshold=told.threshold,
            tasks=told.tasks,
            escalates=told.escalates,
            escalate_above=told.escalate_above,
            max_tokens=told.max_tokens,
            capped=frozenset(told.capped),
        )

    def _reranking(self, told: Recipe) -> Reranking | None:
        if told.reranker:
            return self.library.reranking
        return self.reread(told.search.reread) if told.search.reread else None


def open_reruns(
    parts: Parts, settings: Settings, *, providers: Providers, library: Library, database: Database, local: MiniLM
) -> Reruns:
    """What asks again; `parts` of an assistant whose questions are tests. What it is put together from is kept by `served`."""
    return Reruns(
        parts=parts,
        present=recipe(settings, parts.routes),
        library=library,
        vitals=providers.stacks.vitals,
        book=ReleaseBook(database),
        reread=lambda most: Reranking(LateInteraction(local), candidates=most),
        confirmed=lambda: ConfirmedQuestions(ConfirmedAnswers(database)),
    )


@dataclass(frozen=True, slots=True)
class _SearchedAs:
    """The documents of today, searched as a release did."""

    library: Library
    search: SearchSettings
    reranking: Reranking | None
    confirmed: Callable[[], ConfirmedQuestions]

    async def corpus(self) -> Corpus:
        """The corpus version in use."""
        corpus = await self.library.corpus()
        near = partial(self.confirmed().near, embedder=corpus.embedder) if self.search.confirmed else None
        return replace(corpus, options=self.search.options, reranking=self.reranking, confirmed=near)
