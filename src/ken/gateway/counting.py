"""How many tokens a model makes of a text, for where its provider doesn't say.

The right tokenizer is the one that an operator names. Without one there is an estimate: byte-pair vocabularies cut before
words and mostly agree on which words are one token, so a word of the list is one, and inside of anything else a cut is as
probable as it was, between the same two bytes, in the texts that the estimate was fitted on (bench/tokens.py fits it, and
says how far off it is). Vocabularies differ in one thing that matters: newer ones take a run of blanks as one token, where
GPT-2's has a token for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ken.errors import InvalidSetting

Count = Callable[[str], int]
"""Text -> tokens, without special ones."""

Family = Literal["newer", "gpt2"]
"""Whose way with blanks an estimate has."""

FAMILIES: tuple[Family, ...] = ("newer", "gpt2")

MESSAGE_TOKENS = 4
"""What a chat template puts around a message: who speaks, and where it begins and ends."""
REPLY_TOKENS = 3
"""What it puts behind the last one, for the model to go on from."""

_WORDS = Path(__file__).with_name("token_words.npy")
"""Sorted hashes of ASCII words that are one token, with and without the blank before them: uint32."""
_CUTS = Path(__file__).with_name("token_cuts.npy")
"""Probability of a cut between two bytes, of each family: float16 (families, 128 before, 128 after)."""

BLOCK = 16_384
"""Bytes estimated at once: a cut at its end is one token too many at the most."""
_REMEMBERED_CHARS = 10_000
_LAST, _MORE_BLANKS, _BLANK = 127, 1, 32
"""All bytes beyond ASCII are taken as one; so is, apart from other blanks, a blank that another follows."""
_IS_LETTER = np.array([chr(byte).isalpha() and byte < _LAST for byte in range(256)])
_MULTIPLIER = 0x9E3779B97F4A7C15
_POWERS = np.cumprod(np.full(BLOCK, _MULTIPLIER, np.uint64)).astype(np.uint64)
_INVERSES = np.cumprod(np.full(BLOCK, pow(_MULTIPLIER, -1, 2**64), np.uint64)).astype(np.uint64)
"""Of a hash of each word at once: Rabin and Karp's, modulo 2^64, from sums over the whole text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How one model's tokens are counted."""

    count: Count
    message_tokens: int = MESSAGE_TOKENS
    reply_tokens: int = REPLY_TOKENS

    @classmethod
    def plain(cls, count: Count) -> Counting:
        """For models whose texts have no template around them: embedders and rerankers."""
        return cls(count=count, message_tokens=0, reply_tokens=0)

    def asked(self, texts: Sequence[str]) -> int:
        """Tokens of a prompt."""
        return sum(map(self.count, texts)) + self.message_tokens * len(texts) + self.reply_tokens

    def written(self, text: str) -> int:
        """Tokens of an answer."""
        return self.count(text) if text else 0


def counter(tokenizer: Path | None = None) -> Count:
    """Count by a file `tokenizer.json`, else estimate. Raises InvalidSetting for a file that is none."""
    return estimate if tokenizer is None else _of_file(tokenizer)


@cache
def _of_file(path: Path) -> Count:
    from tokenizers import Tokenizer  # noqa: PLC0415 - without such a file it isn't needed here

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower for a file that it can't read
        raise InvalidSetting(
            f"The tokenizer {str(path)!r} can't be read: {error}. Name a file `tokenizer.json` as models come with."
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return partial(_counted, tokenizer)


def _counted(tokenizer: object, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType]


def estimate(text: str, *, family: Family = "newer") -> int:
    """Tokens that the usual byte-pair vocabularies make of a text; 0.2 ms for 2,000 of them, nothing the second time."""
    return _remembered(text, family) if len(text) < _REMEMBERED_CHARS else _estimated(text, family)


@lru_cache(maxsize=256)
def _remembered(text: str, family: Family) -> int:
    """Instructions are the same in every prompt."""
    return _estimated(text, family)


def _estimated(text: str, family: Family) -> int:
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    cuts = _cuts()[FAMILIES.index(family)]
    blocks = (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))
    return round(sum(_expected(block, cuts) for block in blocks))


def pairs_and_words(data: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """What a text is estimated by: for each byte the number of the pair that it ends, and the spans of the words of the list.

    `data` is at most 16,384 bytes of UTF-8. A span leaves out the word's first byte, before which a cut may be.
    """
    codes = np.minimum(data, _LAST).astype(np.intp)
    codes[:-1][(data[:-1] == _BLANK) & (data[1:] == _BLANK)] = _MORE_BLANKS
    before = np.empty_like(codes)
    before[:1], before[1:] = ord("\n"), codes[:-1]
    starts, ends = _words_in(data)
    hashes, listed = _hashes(data, starts, ends), word_list()
    known = listed[np.minimum(np.searchsorted(listed, hashes), len(listed) - 1)] == hashes
    return before * (_LAST + 1) + codes, starts[known] + 1, ends[known]


def hashes_of(words: Sequence[str]) -> NDArray[np.uint32]:
    """The hashes of words as the list has them, a blank before them included: sorted uint32."""
    found = [
        _hashes(np.frombuffer(word.encode(), np.uint8), np.zeros(1, np.intp), np.array([len(word)])) for word in words
    ]
    return np.unique(np.concatenate(found))


@cache
def word_list() -> NDArray[np.uint32]:
    """Shape (words,), sorted."""
    return np.load(_WORDS)


@cache
def _cuts() -> NDArray[np.float32]:
    return np.load(_CUTS).astype(np.float32).reshape(len(FAMILIES), -1)


def _expected(data: NDArray[np.uint8], cuts: NDArray[np.float32]) -> float:
    pairs, starts, ends = pairs_and_words(data)
    sums = np.concatenate([np.zeros(1), np.cumsum(cuts[pairs], dtype=np.float64)])
    return float(sums[-1] - (sums[ends] - sums[starts]).sum())


def _words_in(data: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The spans of runs of letters, each with the blank before it."""
    edges = np.diff(_IS_LETTER[data].astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return starts - ((starts > 0) & (data[starts - 1] == _BLANK)), ends


def _hashes(data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.uint32]:
    terms = (data.astype(np.uint64) + np.uint64(1)) * _POWERS[: len(data)]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    return (((sums[ends] - sums[starts]) * _INVERSES[starts]) >> np.uint64(32)).astype(np.uint32)
