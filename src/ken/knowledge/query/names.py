"""Other names of what a question names: acronyms and names that the documents define, and the operator's synonyms.

A definition counts only where the asker may read a document that has it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ken.domain.explained import Ambiguity, Expansion
from ken.knowledge.lexicon import acronym_key, name_key
from ken.knowledge.query.reading import MOST_WORDS, Reading
from ken.text.definitions import Definition, Kind
from ken.text.tokens import STOP_WORDS, stem

_ACRONYM = re.compile(r"(?<![\w&/.-])[A-Za-z0-9][A-Za-z0-9]*(?:[&/.-][A-Za-z0-9]+)*(?![\w&])")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]{1,2}\b)?")
_LONGEST = 10
_MOST_WORDS_OF_A_NAME = 8
_MOST_MEANINGS = 3
_SAME = 0.5
"""Share of the shorter long form's words that two spellings of one meaning have in common."""


def defined(text: str, reading: Reading) -> tuple[list[Expansion], list[Ambiguity]]:
    """What the documents say of names in the question, in its order; and the acronyms that stand for several things."""
    written = dict(_keys(text))
    by_key: defaultdict[str, list[tuple[Definition, int]]] = defaultdict(list)
    for key, definition, document in reading.lexicon.defined(list(written), reading.allowed):
        is_word = key.startswith("=") and written[key].islower() and reading.is_word(written[key])
        # One word of a long form, or of a name in small letters, is a word like any other.
        is_name = " " in key or key.startswith("=") or written[key] in {definition.short, definition.long}
        if is_name and not is_word:
            by_key[key].append((definition, document))
    own = set(name_key(text).split())
    expansions: list[Expansion] = []
    ambiguous: list[Ambiguity] = []
    for key, word in written.items():
        meanings = _meanings(key, by_key[key]) if by_key[key] else []
        others = [one for one in meanings if not own.issuperset(one.key.split())]
        if key.startswith("=") and len(meanings) > 1 and len(others) == len(meanings):
            ambiguous.append(Ambiguity(word=word, meanings=tuple(one.name for one in meanings)))
        if others and len(others) == len(meanings):
            expansions.append(
                Expansion(
                    word=word,
                    others=tuple(one.name for one in others[:_MOST_MEANINGS]),
                    why=others[0].kind,
                    source=reading.documents[others[0].document].id,
                )
            )
    return expansions, ambiguous


def synonymous(text: str, lists: Sequence[Sequence[str]]) -> list[Expansion]:
    """What the operator says means the same as words of the question."""
    written = {key: word for key, word in _phrases(text) if key}
    own = set(name_key(text).split())
    found: list[Expansion] = []
    for same in lists:
        named = next((written[name_key(word)] for word in same if name_key(word) in written), None)
        others = tuple(word for word in same if not own.issuperset(name_key(word).split()))
        if named is not None and others:
            found.append(Expansion(word=named, others=others, why="synonym", source=None))
    return found


@dataclass(slots=True)
class _Meaning:
    """One thing that a name stands for, as it is written most often."""

    kind: Kind
    key: str
    document: int
    spellings: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def name(self) -> str:
        return max(self.spellings, key=self.spellings.__getitem__)

    @property
    def documents(self) -> int:
        return sum(self.spellings.values())


def _meanings(key: str, found: Iterable[tuple[Definition, int]]) -> list[_Meaning]:
    """The distinct things that definitions under a key give, the most frequent first."""
    meanings: list[_Meaning] = []
    for definition, document in found:
        is_short = key == (
            acronym_key(definition.short) if definition.kind == "acronym" else name_key(definition.short)
        )
        name = definition.long if is_short else definition.short
        other = name_key(name) or name.lower()
        same = next((one for one in meanings if _is_same(one.key, other)), None)
        if same is None:
            same = _Meaning(kind=definition.kind, key=other, document=document)
            meanings.append(same)
        same.spellings[name] = same.spellings.get(name, 0) + 1
    return sorted(meanings, key=lambda one: -one.documents)


def _is_same(one: str, other: str) -> bool:
    """Whether two long forms are spellings of one: "Interagency Agreements", "inter-agency agreement"."""
    if one.replace(" ", "") == other.replace(" ", ""):
        return True
    mine, theirs = set(one.split()), set(other.split())
    return len(mine & theirs) > _SAME * min(len(mine), len(theirs))


def _keys(text: str) -> Iterator[tuple[str, str]]:
    """Keys of all names that may stand in a question, each with the name as written."""
    for number, match in enumerate(_ACRONYM.finditer(text)):
        if number == MOST_WORDS:
            break
        word = match.group()
        if len(word) <= _LONGEST and (_is_acronym(word) or _may_be_acronym(word)):
            yield acronym_key(word.removesuffix("s") if word[:-1].isupper() else word), word
    yield from _phrases(text)


def _is_acronym(word: str) -> bool:
    return sum(letter.isupper() for letter in word) >= 2  # noqa: PLR2004 - one capital begins a sentence


def _may_be_acronym(word: str) -> bool:
    """Whether somebody may have typed an acronym in small letters; it is one where it is no other word."""
    return word.islower() and len(word) > 2 and word not in STOP_WORDS  # noqa: PLR2004 - too many two letters are words


def _phrases(text: str) -> Iterator[tuple[str, str]]:
    """Keys of one to eight words in a row, each with these words as written."""
    words = [
        (match, stem(match.group().lower().split("'")[0].split("’")[0]))
        for match, _ in zip(_WORD.finditer(text), range(MOST_WORDS), strict=False)
    ]
    told = [(match, root) for match, root in words if match.group().lower() not in STOP_WORDS]
    for first in range(len(told)):
        key = ""
        for last in range(first, min(first + _MOST_WORDS_OF_A_NAME, len(told))):
            key = f"{key} {told[last][1]}" if key else told[last][1]
            yield key, text[told[first][0].start() : told[last][0].end()]
