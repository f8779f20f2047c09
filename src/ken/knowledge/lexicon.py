"""The words and definitions of one corpus version, each with the documents that hold it.

The terms of the lexical index are hashes; this is where a question's word is compared with words as they are written,
and where an acronym finds its long form. Whatever it tells rests on a document that the asker may read: every method
takes the documents that are allowed and counts in those alone. It is built anew for each generation, so that nothing of a
deleted document stays.

A store makes it from the feature "lexicon" of each document version (see `pack`), in the order of its
catalogue's documents: `build` makes the arrays, which a store keeps as it likes (the embedded one maps them from files),
and `Lexicon.of` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.text.definitions import Definition
from ken.text.edits import distances
from ken.text.tokens import STOP_WORDS, stem, words

Number = TypeVar("Number", bound=np.generic)

LONGEST = 32
"""Letters of a word that is kept: what is longer is no word that somebody mistypes."""
_LEAST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Near:
    """A word close to one that was looked for."""

    word: str
    distance: int
    documents: int
    """How many allowed documents hold it."""


class Arrays(Protocol):
    """Gives the arrays that `build` made."""

    def __call__(self, name: str, dtype: type[Number], /) -> NDArray[Number]:
        """The array of that name. Raises what reading raises."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """w words, ascending by number of letters; d definitions, one for each document that has it."""

    words: NDArray[np.uint8]
    """UTF-8, lower case, one after the other."""
    word_bounds: NDArray[np.int64]
    """Shape (w + 1,), in bytes."""
    lengths: NDArray[np.int32]
    """Shape (w,): letters of each word, ascending."""
    letters: NDArray[np.uint64]
    """Shape (w,): which letters a word has, once and twice; one edit changes two bits at most."""
    stems: NDArray[np.uint64]
    """Shape (w,): hashes of the words' stems, ascending."""
    places: NDArray[np.int32]
    """Shape (w,): the word that each stem belongs to."""
    bounds: NDArray[np.int64]
    """Shape (w + 1,): documents of word i are [bounds[i], bounds[i + 1])."""
    documents: NDArray[np.int32]
    """Index into the catalogue's documents."""
    definitions: NDArray[np.uint8]
    """UTF-8 of a JSON array for each definition: kind, short, long."""
    definition_bounds: NDArray[np.int64]
    """Shape (d + 1,), in bytes."""
    definition_documents: NDArray[np.int32]
    """Shape (d,)."""
    keys: NDArray[np.uint64]
    """Shape (2 d,): hashes of what a definition is found by, ascending: its short and its long name."""
    key_places: NDArray[np.int32]
    """Shape (2 d,): the definition that each key belongs to."""

    @classmethod
    def of(cls, arrays: Arrays) -> Lexicon:
        """A lexicon over arrays that are kept somewhere."""
        return cls(
            words=arrays("words", np.uint8),
            word_bounds=arrays("word_bounds", np.int64),
            lengths=arrays("lengths", np.int32),
            letters=arrays("letters", np.uint64),
            stems=arrays("stems", np.uint64),
            places=arrays("places", np.int32),
            bounds=arrays("bounds", np.int64),
            documents=arrays("documents", np.int32),
            definitions=arrays("definitions", np.uint8),
            definition_bounds=arrays("definition_bounds", np.int64),
            definition_documents=arrays("definition_documents", np.int32),
            keys=arrays("keys", np.uint64),
            key_places=arrays("key_places", np.int32),
        )

    def forms(self, word: str, allowed: NDArray[np.bool_]) -> list[str]:
        """The words of the same stem that allowed documents hold; `allowed`: shape (documents,)."""
        first, last = _range(self.stems, _hash(stem(word.lower())))
        return [self._word(place) for place in self.places[first:last].tolist() if self._count(place, allowed)]

    def near(self, word: str, *, most: int, allowed: NDArray[np.bool_]) -> list[Near]:
        """The words of allowed documents within `most` edits of a lower-case word, the closest and most frequent first."""
        if len(word) > LONGEST:
            return []
        size = len(word)
        first, last = np.searchsorted(self.lengths, [size - most, size + most + 1])
        differing = np.bitwise_count(self.letters[first:last] ^ np.uint64(_letters(word)))
        places = np.flatnonzero(differing <= 2 * most) + first
        written = [self._word(int(place)) for place in places]
        found = distances(word, written)
        near: list[Near] = []
        for at in np.flatnonzero(found <= most):
            documents = self._count(int(places[at]), allowed)
            if documents:
                near.append(Near(written[at], int(found[at]), documents))
        return sorted(near, key=lambda one: (one.distance, -one.documents, one.word))

    def defined(self, keys: Sequence[str], allowed: NDArray[np.bool_]) -> list[tuple[str, Definition, int]]:
        """Definitions found by each of these keys in allowed documents: key, definition, place of the document."""
        found: list[tuple[str, Definition, int]] = []
        if not len(self.keys):
            return found
        hashes = np.array([_hash(key) for key in keys], dtype=np.uint64)
        first = np.searchsorted(self.keys, hashes, side="left")
        last = np.searchsorted(self.keys, hashes, side="right")
        for number in np.flatnonzero(last > first).tolist():
            for place in self.key_places[first[number] : last[number]].tolist():
                document = int(self.definition_documents[place])
                if allowed[document]:
                    found.append((keys[number], self._definition(place), document))
        return found

    def _word(self, place: int) -> str:
        return bytes(self.words[self.word_bounds[place] : self.word_bounds[place + 1]]).decode()

    def _count(self, place: int, allowed: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(allowed[self.documents[self.bounds[place] : self.bounds[place + 1]]]))

    def _definition(self, place: int) -> Definition:
        stored = bytes(self.definitions[self.definition_bounds[place] : self.definition_bounds[place + 1]])
        kind, short, long = json.loads(stored)
        return Definition(kind, short, long)


def own_words(texts: Iterable[str]) -> list[str]:
    """The distinct words of a document that a question's word may be compared with: lower case, of letters alone, sorted."""
    found = {word.lower() for text in texts for word in words(text)}
    return sorted(word for word in found if _LEAST_LETTERS <= len(word) <= LONGEST and word.isalpha())


def pack(own: Sequence[str], defined: Sequence[Definition]) -> tuple[bytes, bytes]:
    """The feature "lexicon" of a document: its words, and its definitions."""
    listed = [[one.kind, one.short, one.long] for one in defined]
    return "\n".join(own).encode(), json.dumps(listed, ensure_ascii=False).encode() if listed else b""


def name_key(name: str) -> str:
    """What a long name is found by: the stems of its words, without stop words."""
    return " ".join(stem(word.lower()) for word in words(name) if word.lower() not in STOP_WORDS)


def acronym_key(short: str) -> str:
    """What an acronym is found by."""
    return f"={short.upper()}"


def build(features: Iterable[tuple[bytes, bytes]]) -> dict[str, NDArray[Any]]:
    """The arrays of a lexicon over documents in their order; each gives its feature "lexicon"."""
    numbers: dict[str, int] = {}
    held: list[NDArray[np.int32]] = []
    owners: list[int] = []
    defined: list[tuple[str, str, str]] = []
    for document, (own, definitions) in enumerate(features):
        names = own.decode().split("\n") if own else []
        held.append(np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int32))
        listed = [(kind, short, long) for kind, short, long in json.loads(definitions)] if definitions else []
        defined += listed
        owners += [document] * len(listed)
    return _words_arrays(list(numbers), held) | _definition_arrays(defined, owners)


def _words_arrays(names: list[str], held: list[NDArray[np.int32]]) -> dict[str, NDArray[Any]]:
    order = sorted(range(len(names)), key=lambda number: (len(names[number]), names[number]))
    place_of = np.empty(len(names), dtype=np.int32)
    place_of[order] = np.arange(len(names), dtype=np.int32)
    ordered = [names[number] for number in order]
    encoded = [name.encode() for name in ordered]
    stems = np.array([_hash(stem(name)) for name in ordered], dtype=np.uint64)
    by_stem = np.argsort(stems, kind="stable")
    places = place_of[np.concatenate(held)] if held else np.empty(0, dtype=np.int32)
    documents = np.repeat(np.arange(len(held), dtype=np.int32), [len(each) for each in held])
    by_word = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=len(names))
    return {
        "words": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "word_bounds": np.cumsum([0, *map(len, encoded)]).astype(np.int64),
        "lengths": np.array([len(name) for name in ordered], dtype=np.int32),
        "letters": np.array([_letters(name) for name in ordered], dtype=np.uint64),
        "stems": stems[by_stem],
        "places": by_stem.astype(np.int32),
        "bounds": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "documents": documents[by_word],
    }


def _definition_arrays(defined: list[tuple[str, str, str]], owners: list[int]) -> dict[str, NDArray[Any]]:
    encoded = [json.dumps(one, ensure_ascii=False).encode() for one in defined]
    keys: list[int] = []
    for kind, short, long in defined:
        keys += [_hash(acronym_key(short) if kind == "acronym" else name_key(short)), _hash(name_key(long))]
    hashes = np.array(keys, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    return {
        "definitions": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "definition_bounds": np.cumsum([0, *map(len, encoded)]).astype(np.int64),
        "definition_documents": np.array(owners, dtype=np.int32),
        "keys": hashes[order],
        "key_places": (order // 2).astype(np.int32),
    }


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _letters(word: str) -> int:
    """A bit for each letter that stands in a word, and another one where it stands there twice."""
    bits = 0
    for letter in word:
        number = ord(letter) - ord("a")
        number = number if 0 <= number < 26 else 26 + ord(letter) % 6  # noqa: PLR2004 - six bits for all other letters
        once, twice = 1 << number, 1 << (number + 32)
        bits |= twice if bits & once else once
    return bits


def _range(values: NDArray[np.uint64], wanted: int | np.uint64) -> tuple[int, int]:
    """Where a value stands in an ascending array: [first, last)."""
    value = np.uint64(wanted)
    return int(np.searchsorted(values, value, side="left")), int(np.searchsorted(values, value, side="right"))
