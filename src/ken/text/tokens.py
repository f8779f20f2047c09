"""The analyser: text becomes the terms that the lexical index holds. One analyser for documents and questions."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

import snowballstemmer


class _Stemmer(threading.local):
    """A stemmer keeps the word that it is at work on: each thread has its own."""

    def __init__(self) -> None:
        self.english = snowballstemmer.stemmer("english")


_STEMMER = _Stemmer()

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]{1,2}\b)?")
# Parts that punctuation joins into one name: e-mail addresses, paths, flags, versions, `SEV-3`, `snake_case`.
# It begins where a word begins: tried from each letter of a long word, it would take quadratic time.
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]+(?:[-_.@/:+][^\W_]+)+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MAX_TERM = 64

# Words that say nothing of the topic. Question words are among them: they shape the answer, not the search.
STOP_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being both but by can could did do
    does doing don down during each else ever few for from further get gets getting got had has have having he her here
    hers him his how i if im in into is it its itself just ll let lets like many may me might mine more most much must my myself
    need no nor not now of off on once one only or other our ours out over own per please re really s same shall she
    should so some such t tell than that the their theirs them then there these they this those through to too under
    until up us use ve very want was way we were what when where which while who whom whose why will with would yes you
    your yours""".split()
)


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The English stem of a lower-case word (Porter2, Snowball)."""
    return str(_STEMMER.english.stemWord(word))


def words(text: str) -> list[str]:
    """The words of `text` as written, in order, without possessive endings."""
    return [match.group().split("'")[0].split("’")[0] for match in _WORD.finditer(text)]


@lru_cache(maxsize=200_000)
def _terms_of_word(word: str) -> tuple[str, ...]:
    lower = word.lower()
    terms = () if lower in STOP_WORDS else (stem(lower[:_MAX_TERM]),)
    parts = _CAMEL.findall(word) if word.isascii() else []
    if len(parts) > 1 and not word.isupper():
        terms += tuple(stem(part.lower()) for part in parts if len(part) > 1 and part.lower() not in STOP_WORDS)
    return terms


def terms(text: str) -> list[str]:
    """Index terms of `text`, in order and with repeats.

    Each word gives its stem; `camelCase` also gives its parts; what punctuation joins (`SEV-3`, `a.b@c`) also gives
    the joined name. Stop words give nothing.
    """
    found: list[str] = []
    for word in words(text):
        found.extend(_terms_of_word(word))
    found.extend(match.group().lower()[:_MAX_TERM] for match in _COMPOUND.finditer(text))
    return found
