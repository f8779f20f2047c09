"""The semantic answer cache: an answer is given again to who asks the same, in the same words or in others.

The same words are looked for first. Else the nearest questions of the key space count whose similarity reaches the category's
threshold, and of those the first that agrees with the question in what vectors miss. What lies in memory only finds
candidates: an answer whose row is gone from the database (its documents changed, a person dropped it) is given to nobody.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ken.domain.answer import Answer
from ken.domain.cached import CachedAnswer, Category, Keeping, KeySpace, Repeatable, RestsOn
from ken.domain.usage import Usage
from ken.errors import StorageError
from ken.gateway.cache.agreement import agree
from ken.gateway.cache.figures import CategoryFigures, Figures, summary
from ken.gateway.cache.frequency import Frequencies
from ken.gateway.cache.sameness import LEAST_COSINE, Meaning, Sameness
from ken.gateway.cache.shelf import Shelf
from ken.gateway.cache.vectors import QuestionVectors
from ken.storage.answers import CachedAnswers
from ken.text.normalise import normalise_question
from ken.text.wording import read

Decision = Literal["exact", "similar", "stale", "miss", "refused", "off", "away"]

UNHELPFUL = "found unhelpful"
"""The reason where somebody said so of the answer to such a question: another one is not kept, either."""

_log = logging.getLogger(__name__)
_LOOKED_AT = 4
"""The nearest questions that are compared."""
_VICTIMS = 16
"""The longest idle answers among which the one goes that is asked for least."""
_SWEEP_EVERY = 100
_TEXTS = TypeAdapter(Repeatable)
_QUOTED = re.compile(r"“[^”]*”|(?<=says ).*|(?<=names ).*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that is looked up."""

    text: str
    """As it stands alone."""
    space: KeySpace
    category: Category
    today: str
    """The day that the answer is for, an ISO date."""

    @property
    def key(self) -> str:
        """SHA-256 of its key space and its words, 64 hex digits."""
        return hashlib.sha256(f"{self.space.name} {normalise_question(self.text)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a look into the cache came to."""

    decision: Decision
    entry: CachedAnswer | None = None
    """The answer that is given again, or whose question came nearest."""
    found: Repeatable | None = None
    """That answer, where it is given again."""
    similarity: float | None = None
    """Of that question with this one, 0 to 1."""
    reason: str = ""
    """Why it is not given."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer as an operator looks at it."""

    entry: CachedAnswer
    answer: Answer | None
    """None where Redis has lost it, or is away."""
    rests_on: tuple[RestsOn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the cache may hold, and for how long."""

    entries: int = 10_000
    """Answers kept at most, in all key spaces together."""
    stale_s: float = 604_800.0
    """How long after its time an answer is still kept for a question whose model fails."""
    stale_threshold: float = 0.9
    """The least similarity of two questions then."""


@dataclass(slots=True)
class SemanticCache:
    """One for each process; the database is shared by all of a home. Safe for threads; its methods block."""

    answers: CachedAnswers
    figures: Figures
    categories: Mapping[str, Category]
    bounds: Bounds = field(default_factory=Bounds)
    shelf: Shelf | None = None
    """Where the answers lie; None for the database."""
    _vectors: QuestionVectors = field(init=False)
    _frequencies: Frequencies = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: int = 0
    """The last answer that was seen in the database."""
    _uses: Counter[int] = field(default_factory=Counter[int])
    _puts: int = 0
    _is_reconciled: bool = False

    def __post_init__(self) -> None:
        self._frequencies = Frequencies(self.bounds.entries)
        self._vectors = QuestionVectors(self._lock)

    def quiet(self) -> SemanticCache:
        """The same entries for one who only looks: nothing that is asked of it counts."""
        looking = copy(self)
        looking.figures = self.figures.apart()
        looking._frequencies = Frequencies(1)  # noqa: SLF001 - one of its own kind
        looking._uses = Counter[int]()  # noqa: SLF001 - as above
        return looking

    def exact(self, asked: Asked) -> Recalled | None:
        """The answer to this very question; None where there is none. Raises StorageError."""
        if self.shelf is not None and not self._is_reconciled:
            self._reconcile_shelf(self.shelf)
        key = asked.key
        with self._lock:
            after = self._last
        looked = self.answers.look(key, after=after)
        with self._lock:
            self._frequencies.add(key)
            for one in looked.arrived:
                self._vectors.add(one.id, one.space, vector=np.frombuffer(one.vector, np.float16))
                self._last = max(self._last, one.id)
                if one.uses:
                    self._frequencies.add(one.key, min(one.uses, _VICTIMS))
        self.figures.count(asked.category.name, "lookups")
        if looked.exact is not None and looked.exact.flagged:
            return self._unhelpful(asked, looked.exact, similarity=1.0)
        if looked.exact is None or _passed(looked.exact, asked, time.time()):
            return None
        return self._given(asked, "exact", looked.exact, similarity=1.0)

    @property
    def is_preparing(self) -> bool:
        """Whether a large key space is being made fast."""
        with self._lock:
            return self._vectors.is_building

    def has_any(self, asked: Asked) -> bool:
        """Whether there are answers in the key space of a question: else it needs not be read."""
        with self._lock:
            return self._vectors.has_any(asked.space.name)

    def similar(self, asked: Asked, meaning: Meaning, *, sameness: Sameness) -> Recalled:
        """The answer to a question that asks the same as this one. Raises StorageError."""
        nearest: Recalled | None = None
        least = asked.category.threshold
        for entry, other in self._near(asked, meaning):
            reason = _passed(entry, asked, time.time()) or agree(meaning.asked, other.asked)
            if reason is not None and nearest is not None:
                continue
            similarity = float(sameness.similarity(meaning, [other])[0])
            if reason is None and similarity >= least:
                if entry.flagged:
                    return self._unhelpful(asked, entry, similarity=similarity)
                recalled = self._given(asked, "similar", entry, similarity=similarity)
                if recalled is not None:
                    return recalled
            is_near = similarity >= least
            if nearest is None or (is_near and nearest.decision == "miss"):
                nearest = Recalled(
                    decision="refused" if is_near else "miss",
                    entry=entry,
                    similarity=similarity,
                    reason=reason or f"below {least:g}",
                )
        if nearest is not None and nearest.decision == "refused":
            self.figures.count(asked.category.name, f"refused: {kind_of(nearest.reason)}")
        return nearest or Recalled(decision="miss")

    def stale(self, asked: Asked, meaning: Meaning | None, *, sameness: Sameness) -> Recalled | None:
        """An answer for a question whose model has failed; None where there is none. Raises StorageError.

        It may be past its time, or to a question less near than usual that agrees with this one; what it rests on is as it was.
        """
        looked = self.answers.look(asked.key, after=self._last)
        exact = looked.exact
        if exact is not None and exact.holds_on(asked.today):
            return None if exact.flagged else self._given(asked, "stale", exact, similarity=1.0)
        if meaning is None:
            return None
        for entry, other in self._near(asked, meaning):
            if not entry.flagged and entry.holds_on(asked.today) and agree(meaning.asked, other.asked) is None:
                similarity = float(sameness.similarity(meaning, [other])[0])
                if similarity >= self.bounds.stale_threshold:
                    return self._given(asked, "stale", entry, similarity=similarity)
        return None

    def keep(self, asked: Asked, kept: Keeping, *, answer: Repeatable) -> str:
        """Keep an answer where it may be kept; what became of it, in words. Raises StorageError."""
        outcome = self._kept(kept, answer)
        self.figures.count(asked.category.name, "stored" if outcome == "stored" else f"not stored: {outcome}")
        return outcome

    def note(self, category: str, name: str) -> None:
        """Count something that was decided elsewhere."""
        self.figures.count(category, name)

    def flush(self) -> None:
        """Write what was counted; without the database it is lost."""
        with self._lock:
            uses, self._uses = self._uses, Counter[int]()
        try:
            if uses:
                self.answers.used(uses, at=time.time())
            self.figures.flush()
        except StorageError as error:
            _log.warning("The cache's figures can't be written: %s", error)

    def tidy(self) -> None:
        """Write the counts and delete from Redis what was dropped, where either is due."""
        if self.figures.is_due:
            self.flush()
        self.forget()

    def close(self) -> None:
        """Write the counts and let go of Redis."""
        self.flush()
        if self.shelf is not None:
            self.shelf.close()

    def forget(self) -> None:
        """Delete from Redis what was dropped; what can't be deleted now is, as soon as Redis is back."""
        if self.shelf is None:
            return
        removals = self.answers.removals()
        if removals:
            try:
                self.shelf.drop(removals)
            except StorageError:  # said by the shelf, and tried again
                return
            self.answers.removed(removals)

    def read(self, *, days: int) -> dict[str, CategoryFigures]:
        """The figures of the last days by category; of all together below "". Raises StorageError."""
        self.flush()
        counts, sizes = self.figures.read(days=days), self.answers.sizes()
        total: Counter[str] = Counter()
        for of_category in counts.values():
            total.update(of_category)
        found = {"": summary(dict(total), entries=sum(sizes.values()))}
        for name in sorted(counts.keys() | sizes.keys() | self.categories.keys()):
            found[name] = summary(counts.get(name, {}), entries=sizes.get(name, 0))
        return found

    def opened(self, answer: int) -> Opened | None:
        """An answer to be looked at; None where there is none. Raises StorageError."""
        entry = self.answers.get([answer]).get(answer)
        if entry is None or entry.flagged:
            return None
        try:
            found = self.text_of(answer)
        except StorageError:
            if self.shelf is None:
                raise
            found = None
        return Opened(entry, None if found is None else found.answer, self.answers.rests_on(answer))

    def drop(self, answers: Sequence[int]) -> int:
        """Give these to nobody any more; how many there were. Raises StorageError."""
        dropped = self.answers.drop(answers)
        self.forget()
        return dropped

    def drop_all(self, category: str | None) -> int:
        """Give no answer of a category any more, or none at all; how many there were. Raises StorageError."""
        dropped = self.answers.drop_all(category)
        self.forget()
        return dropped

    def text_of(self, answer: int) -> Repeatable | None:
        """What is kept of an answer; None where it is gone, or in a shape of another version of Ken. Raises StorageError."""
        text = self.answers.text(answer) if self.shelf is None else self.shelf.get(answer)
        try:
            return None if text is None else _TEXTS.validate_json(text)
        except ValidationError:
            return None

    def _near(self, asked: Asked, meaning: Meaning) -> Iterator[tuple[CachedAnswer, Meaning]]:
        """The nearest questions of the key space that are still there, the nearest first."""
        ids: list[int] = []
        rows: dict[int, CachedAnswer] = {}
        for _ in range(2):
            with self._lock:
                ids = self._vectors.near(asked.space.name, meaning.vector, least=LEAST_COSINE, limit=_LOOKED_AT)
            rows = self.answers.get(ids) if ids else {}
            if len(rows) == len(ids):
                break
            present = self.answers.ids()
            with self._lock:
                self._vectors.keep(present)
        # Reading a question takes longer than to find it: the nearest is mostly the one.
        yield from ((rows[answer], _meaning_of(rows[answer])) for answer in ids if answer in rows)

    def _unhelpful(self, asked: Asked, entry: CachedAnswer, *, similarity: float) -> Recalled:
        self.figures.count(asked.category.name, f"refused: {UNHELPFUL}")
        return Recalled(decision="refused", entry=entry, similarity=similarity, reason=UNHELPFUL)

    def _given(
        self, asked: Asked, decision: Literal["exact", "similar", "stale"], entry: CachedAnswer, *, similarity: float
    ) -> Recalled | None:
        """The answer of an entry, counted; None where it is lost, or Redis is away."""
        try:
            found = self.text_of(entry.id)
        except StorageError:
            if self.shelf is None:
                raise
            return Recalled(decision="away", reason="Redis is away")
        if found is None:
            self.answers.drop([entry.id])
            return None
        with self._lock:
            self._uses[entry.id] += 1
            if decision != "exact":
                self._frequencies.add(asked.key)
        self.figures.count(asked.category.name, decision)
        return Recalled(decision=decision, entry=entry, found=found, similarity=min(1.0, similarity))

    def _kept(self, kept: Keeping, answer: Repeatable) -> str:
        if not self._has_room(kept.key):
            return "not asked often enough"
        bare = replace(answer.answer, trace_id="", conversation_id=None, usage=Usage(), cost_micros=0, cached=True)
        text = _TEXTS.dump_json(replace(answer, answer=bare)).decode()
        number = self.answers.put(kept, text if self.shelf is None else None)
        if number is None:
            return "overtaken by a sync"
        if self.shelf is not None:
            ttl_s = kept.entry.expires_at - time.time() + self.bounds.stale_s
            try:
                self.shelf.put(number, text, ttl_s=ttl_s)
                if not self.answers.get([number]):  # it was retired before its text was there
                    self.shelf.drop([number])
            except StorageError:
                self.answers.drop([number])
                return "Redis is away"
        self._puts += 1
        if self._puts % _SWEEP_EVERY == 0:
            self.answers.sweep(before=time.time() - self.bounds.stale_s)
        return "stored"

    def _has_room(self, key: str) -> bool:
        """Whether an answer gets a place: a free one, or that of one which is asked for less often."""
        with self._lock:
            is_full = len(self._vectors) >= self.bounds.entries
        if not is_full:
            return True
        present = self.answers.ids()
        with self._lock:
            self._vectors.keep(present)
        if len(present) < self.bounds.entries:
            return True
        idlest = self.answers.idlest(_VICTIMS)
        with self._lock:
            victim = min(idlest, key=lambda one: self._frequencies.of(one.key))
            if self._frequencies.of(key) <= self._frequencies.of(victim.key):
                return False
            self._vectors.remove([victim.id])
        self.answers.drop([victim.id])
        return True

    def _reconcile_shelf(self, shelf: Shelf) -> None:
        """Delete from Redis what no row stands for: a process may have died between the two."""
        try:
            lost = shelf.known() - self.answers.ids()
            shelf.drop(lost)
        except StorageError:
            return
        self._is_reconciled = True


def _passed(entry: CachedAnswer, asked: Asked, now: float) -> str | None:
    """Why an answer's time is over."""
    if entry.expires_at <= now:
        return "past its time"
    return None if entry.holds_on(asked.today) else "another day"


def _meaning_of(entry: CachedAnswer) -> Meaning:
    vector = np.frombuffer(entry.vector, np.float16).astype(np.float32)
    words = np.frombuffer(entry.words, np.int8)
    count = len(read(entry.question).words) if words.size else 0
    fits = count > 0 and words.size % count == 0
    kept = words.reshape(count, -1) if fits else np.zeros((0, 0), np.int8)
    return Meaning.restored(entry.question, vector, words=kept)


def kind_of(reason: str) -> str:
    """A reason without the words of the questions: reasons of one kind are counted together."""
    return _QUOTED.sub("…", reason.partition(":")[0])


def new_entry(asked: Asked, meaning: Meaning, *, trace_id: str, model: str, corpus_version: int) -> CachedAnswer:
    """An answer that is to be kept from now on, for as long as its category says."""
    now = time.time()
    return CachedAnswer(
        id=0,
        space=asked.space.name,
        category=asked.category.name,
        question=asked.text,
        vector=meaning.vector.astype(np.float16).tobytes(),
        words=meaning.words.tobytes(),
        trace_id=trace_id,
        model=model,
        corpus_version=corpus_version,
        valid_from=None,
        valid_before=None,
        made_at=now,
        expires_at=now + asked.category.ttl_s,
        used_at=now,
    )
