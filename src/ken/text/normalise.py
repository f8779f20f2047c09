"""Forms of a text: a question's for comparing, anything's for showing in a terminal."""

from __future__ import annotations

import unicodedata

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def normalise_question(text: str) -> str:
    """Fold what doesn't change a question: letter forms (Unicode NFKC), case, white space, punctuation at its end.

    Applying it twice changes nothing more.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(folded.split())
    while words and (words[-1].isspace() or unicodedata.category(words[-1]).startswith("P")):
        words = words[:-1]
    return words


def printable(text: str) -> str:
    r"""Fold a text to one line that is safe in a terminal.

    White space becomes single blanks; control, format and unassigned characters, which could move the cursor, hide
    text or turn its direction, become visible escapes such as `\x1b`.
    """
    return "".join(
        character if unicodedata.category(character) not in _UNPRINTABLE else ascii(character)[1:-1]
        for character in " ".join(text.split())
    )
