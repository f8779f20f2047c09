from __future__ import annotations

import random

import pytest

from ken.text.sentence_stream import SentenceStream

TEXTS = {
    "prose": ("There are 28 days. They are taken in a year! Are they? Yes.", 4),
    "abbreviations": ("See e.g. Fig. 3 or Dr. Smith, Inc. in No. 7. Then go on, etc. and so forth.", 2),
    "citations": ("It is closed on Mondays. [1] [2, 3] On Sundays it is open.[4] Ask.", 3),
    "code": ("Run `a. B` first.\n\n```py\nx = 1\ny = 2. Z\n```\nThen stop. Done.", 4),
    "list": ("Do this:\n- Ask. Early.\n- Wait.\n1. One\n2. Two", 6),
    "quotes": ("He said “Go.” She went. (It was late.) Nobody saw.", 4),
    "nothing": ("no border at all", 1),
    "numbers": ("It costs 5.50 a day. 3.2 km is far. It opens at 7 a.m. every day.", 3),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_pieces_in_which_a_text_comes_change_nothing(name: str) -> None:
    """However a text is cut, its sentences are the same, and put together they are the text."""
    text, count = TEXTS[name]
    luck = random.Random(1)
    seen: set[tuple[str, ...]] = set()
    for _ in range(40):
        stream, sentences, rest = SentenceStream(), [], text
        while rest:
            size = luck.randint(1, luck.choice((1, 4, 40, 200)))
            sentences += stream.feed(rest[:size])
            rest = rest[size:]
        sentences.append(stream.rest())
        assert "".join(sentences) == text
        seen.add(tuple(sentences))
    assert [len(one) for one in seen] == [count]


def test_a_sentence_is_let_go_as_soon_as_the_next_one_begins() -> None:
    """The first letter behind a border tells that it is one."""
    stream = SentenceStream()
    assert [stream.feed(piece) for piece in ("It is closed", ".", " ", "O")] == [[], [], [], ["It is closed."]]


def test_what_has_no_border_is_let_go_in_the_end() -> None:
    """No more than ten thousand characters are held back, and a block of code that was cut stays one."""
    stream = SentenceStream()
    text = "```\n" + "x = 1. Y\n" * 3000 + "```\nDone. Yes."
    sentences = [sentence for at in range(0, len(text), 50) for sentence in stream.feed(text[at : at + 50])]
    assert "".join(sentences) + stream.rest() == text
    assert max(map(len, sentences)) <= 10_000
    assert len(sentences) < 8
    assert sentences[-1].endswith("```\nDone.") or sentences[-1] == "\nDone."
