"""Embeddings as OpenAI documents them, and rerank as Cohere does (v2), which Jina, vLLM and llama.cpp follow."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from ken.errors import InvalidInput
from ken.mock.behaviour import Behaviour
from ken.mock.ledger import Entry

_WORD = re.compile(r"\w+")
_DIGITS = 8


def embedded_texts(body: dict[str, object]) -> Sequence[str]:
    """The texts of a request for embeddings. Raises InvalidInput."""
    told = body.get("input")
    texts = [told] if isinstance(told, str) else told
    if (
        not isinstance(texts, list)
        or not texts
        or not all(isinstance(text, str) for text in cast("list[object]", texts))
    ):
        raise InvalidInput("`input` is a text or a list of texts.", param="input")
    return cast("list[str]", texts)


def embeddings(behaviour: Behaviour, body: dict[str, object], *, entry: Entry) -> object:
    """The answer: L2-normalised vectors, alike for texts that share words. `entry` is in the books already."""
    width = body.get("dimensions") or behaviour.dim
    if not isinstance(width, int) or not 0 < width <= 1 << 14:
        raise InvalidInput(f"`dimensions` is {width!r}; it is a whole number from 1 to 16384.", param="dimensions")
    is_coded = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": number,
            "embedding": base64.b64encode(array("f", vector).tobytes()).decode() if is_coded else vector,
        }
        for number, text in enumerate(embedded_texts(body))
        for vector in (_vector(text, width),)
    ]
    told = {"object": "list", "model": entry.model, "data": data}
    if behaviour.usage == "none":
        return told
    return told | {"usage": {"prompt_tokens": entry.input_tokens, "total_tokens": entry.input_tokens}}


def rerank_texts(body: dict[str, object]) -> tuple[str, Sequence[str]]:
    """Question and documents of a request. Raises InvalidInput."""
    question, told = body.get("query"), body.get("documents")
    documents = cast("list[object]", told) if isinstance(told, list) else []
    texts = [
        text.get("text") if isinstance(text, dict) else text for text in cast("list[str | dict[str, str]]", documents)
    ]
    if not isinstance(question, str) or not texts or not all(isinstance(text, str) for text in texts):
        raise InvalidInput("`query` is a text and `documents` a list of texts.", param="documents")
    return question, cast("list[str]", texts)


def rerank(body: dict[str, object], *, entry: Entry) -> object:
    """The answer, best first: a document's relevance is the share of the question's words that stand in it."""
    question, texts = rerank_texts(body)
    asked = set(_WORD.findall(question.lower()))
    scores = [len(asked & set(_WORD.findall(text.lower()))) / max(1, len(asked)) for text in texts]
    order = sorted(range(len(texts)), key=lambda place: -scores[place])
    most = body.get("top_n")
    return {
        "id": f"rerank-{entry.number}",
        "model": entry.model,
        "results": [
            {"index": place, "relevance_score": scores[place]}
            for place in order[: most if isinstance(most, int) else len(order)]
        ],
        "usage": {"total_tokens": entry.input_tokens},
    }


def _vector(text: str, width: int) -> list[float]:
    total = [0.0] * width
    for word in _WORD.findall(text.lower()) or [text]:
        for place, number in enumerate(_word_vector(word, width)):
            total[place] += number
    length = math.sqrt(sum(number * number for number in total)) or 1.0
    return [round(number / length, _DIGITS) for number in total]


@lru_cache(maxsize=10_000)
def _word_vector(word: str, width: int) -> tuple[float, ...]:
    data = hashlib.shake_128(word.encode()).digest(width)
    return tuple(byte / 127.5 - 1.0 for byte in data)
