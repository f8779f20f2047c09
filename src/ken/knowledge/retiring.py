"""Which cached answers something new could better: the passages that arrive, held against the questions that were answered.

A passage is scored for a question as the ranking would score it without its words' vectors (calibration.py), and so was
the best evidence of the answer when it was kept: an answer goes where a new passage that its asker may read comes up to
that. Answers that rest on what changed or went are no matter of scores: storage/answers.py drops them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Evidence
from ken.knowledge.calibration import WITHOUT_WORDS
from ken.knowledge.ingest import space_of
from ken.knowledge.lexical import TERM_DTYPE, term_hash
from ken.storage.answers import CachedAnswers, Judged, Retiring
from ken.storage.documents import Documents

MARGIN = 2.5
"""A passage may score so much less than the best evidence of an answer and still change it (experiments/LOG.md)."""
_NEAR = 0.2
"""A passage whose window is so much farther from the question than the closest one of the evidence is not scored."""
_MOST_PRODUCTS = 400_000_000
"""Questions times windows that are compared, which takes some seconds; where there are more, every answer is retired."""
_QUESTIONS = 2_000
_DOCUMENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """How a passage meets a question."""

    dense: float
    """The cosine of its closest window."""
    sentence: float
    """Of its closest sentence; `mean_sentence`, over all of them."""
    mean_sentence: float
    coverage: float
    """The share of the question's terms that it holds, weighed by rarity."""
    passages: int
    """Of its document."""

    @property
    def score(self) -> float:
        """What the ranking would make of it, but for single words; unbounded."""
        dense, sentence, mean, coverage, *_, passages = WITHOUT_WORDS.weights
        return (
            dense * self.dense
            + sentence * self.sentence
            + mean * self.mean_sentence
            + coverage * self.coverage
            + passages * log(max(self.passages, 1))
        )


def best_score(evidence: Sequence[Evidence]) -> float:
    """The score of the best passage that an answer had before it."""
    return max((_matter(item).score for item in evidence), default=0.0)


def _matter(item: Evidence) -> Matter:
    near = [sentence.similarity for sentence in item.sentences] or [-1.0]
    return Matter(
        dense=item.dense,
        sentence=max(near),
        mean_sentence=sum(near) / len(near),
        coverage=item.coverage,
        passages=item.document.passages,
    )


def judge(answers: CachedAnswers, store: Documents, *, arriving: Mapping[str, str]) -> Retiring:
    """Which answers the versions that arrive (document id -> version) could better. Raises StorageError.

    One pass over the answers, in parts, each of them against all that is new.
    """
    if not arriving:
        return Retiring()
    last, better = 0, set[int]()
    news: list[_New] | None = None
    while part := answers.to_judge(after=last, limit=_QUESTIONS):
        last = part[-1].id
        news = list(_read(store, arriving)) if news is None else news
        products = len(part) * sum(len(each.windows) for each in news)
        if products > _MOST_PRODUCTS:
            better |= {one.id for one in part}
        else:
            better |= _bettered(part, news)
    return Retiring(frozenset(better), judged=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """One document version that arrives."""

    collection: str
    groups: frozenset[str]
    vectors: str
    windows: NDArray[np.float32]
    window_bounds: NDArray[np.int64]
    """Of passage i: its windows begin at [i], and there is at least one."""
    sentences: NDArray[np.int8]
    sentence_passages: NDArray[np.int32]
    terms: tuple[NDArray[np.uint64], ...]
    """Hashes of each passage's terms, ascending."""


def _read(store: Documents, arriving: Mapping[str, str]) -> Iterator[_New]:
    names = list(arriving)
    for start in range(0, len(names), _DOCUMENTS):
        some = {name: arriving[name] for name in names[start : start + _DOCUMENTS]}
        groups = store.groups(some)
        parts = zip(
            some.items(),
            store.features("windows", some),
            store.features("sentences", some),
            store.features("terms", some),
            strict=True,
        )
        for (name, version), windows, sentences, terms in parts:
            spans = np.frombuffer(windows[0], np.int32).reshape(-1, 3)
            quoted = np.frombuffer(sentences[0], np.int32).reshape(-1, 4)
            if not len(spans):
                continue
            vectors = np.frombuffer(windows[1], np.float16).reshape(len(spans), -1).astype(np.float32)
            bounds = np.cumsum(np.frombuffer(terms[0], np.int32))
            hashes = np.frombuffer(terms[1], TERM_DTYPE)["term"]
            yield _New(
                collection=name.partition("/")[0],
                groups=groups.get(name, frozenset()),
                vectors=space_of(version),
                windows=vectors,
                window_bounds=np.flatnonzero(np.diff(spans[:, 0], prepend=-1)).astype(np.int64),
                sentences=np.frombuffer(sentences[1], np.int8).reshape(len(quoted), vectors.shape[1]),
                sentence_passages=np.ascontiguousarray(quoted[:, 0]),
                terms=tuple(np.sort(part) for part in np.split(hashes, bounds[:-1])),
            )


def _bettered(asked: Sequence[Judged], news: Sequence[_New]) -> set[int]:
    found: set[int] = set()
    for vectors in {one.vectors for one in asked}:
        group = [one for one in asked if one.vectors == vectors]
        questions = np.stack([np.frombuffer(one.searched, np.float16) for one in group]).astype(np.float32)
        least = np.array([one.dense for one in group], np.float32) - np.float32(_NEAR)
        for new in news:
            if new.vectors != vectors:
                continue
            nearest = np.maximum.reduceat(questions @ new.windows.T, new.window_bounds, axis=1)
            for place in np.flatnonzero((nearest >= least[:, None]).any(axis=1)).tolist():
                one = group[place]
                if one.id in found or not _may_see(one, new):
                    continue
                near = np.flatnonzero(nearest[place] >= least[place]).tolist()
                if any(
                    _scored(new, passage, one, questions[place], float(nearest[place, passage])) >= one.score - MARGIN
                    for passage in near
                ):
                    found.add(one.id)
    return found


def _may_see(one: Judged, new: _New) -> bool:
    is_readable = one.groups is None or not one.groups.isdisjoint(new.groups)
    return is_readable and (one.collections is None or new.collection in one.collections)


def _scored(new: _New, passage: int, one: Judged, question: NDArray[np.float32], dense: float) -> float:
    rows = slice(*np.searchsorted(new.sentence_passages, [passage, passage + 1]).tolist())
    near = new.sentences[rows].astype(np.float32) @ (question / np.float32(127))
    total = sum(worth for _, worth in one.terms)
    held = new.terms[passage]
    covered = sum(worth for term, worth in one.terms if _holds(held, term_hash(term)))
    return Matter(
        dense=dense,
        sentence=float(near.max(initial=-1.0)),
        mean_sentence=float(near.mean()) if len(near) else -1.0,
        coverage=covered / total if total else 0.0,
        passages=len(new.window_bounds),
    ).score


def _holds(ascending: NDArray[np.uint64], value: int) -> bool:
    at = int(np.searchsorted(ascending, np.uint64(value)))
    return at < len(ascending) and int(ascending[at]) == value
