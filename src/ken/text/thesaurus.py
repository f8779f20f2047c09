"""Words of working life that stand for one another, and those that exclude one another (thesaurus.txt)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path

from ken.text.tokens import stem

_PAIR = 2
_PARTICLES = frozenset("on off in out up down back away over".split())
_FILE = Path(__file__).with_name("thesaurus.txt")
_IRREGULAR = {
    form: base
    for base, forms in {
        "pay": "paid payed",
        "send": "sent",
        "keep": "kept",
        "get": "got gotten",
        "take": "took taken",
        "give": "gave given",
        "go": "went gone goes",
        "find": "found",
        "lose": "lost",
        "break": "broke broken",
        "buy": "bought",
        "sell": "sold",
        "bring": "brought",
        "leave": "left",
        "make": "made",
        "tell": "told",
        "hold": "held",
        "build": "built",
        "spend": "spent",
        "lend": "lent",
        "write": "wrote written",
        "choose": "chose chosen",
        "forget": "forgot forgotten",
        "freeze": "froze frozen",
        "fly": "flew flown",
        "drive": "drove driven",
        "eat": "ate eaten",
        "wear": "wore worn",
        "speak": "spoke spoken",
        "begin": "began begun",
        "run": "ran",
        "see": "saw seen",
        "know": "knew known",
        "teach": "taught",
        "think": "thought",
        "meet": "met",
        "become": "became",
        "fall": "fell fallen",
        "rise": "rose risen",
        "do": "did done does",
        "have": "had has",
        "be": "is are was were been being am",
        "withdraw": "withdrew withdrawn",
        "mean": "meant",
        "hide": "hid hidden",
        "win": "won",
        "child": "children",
        "person": "persons",
        "man": "men",
        "woman": "women",
        "criterion": "criteria",
        "life": "lives",
        "long": "longer longest",
        "high": "highest",
        "dry": "dried",
        "sue": "sued suing",
        "die": "died dying",
        "tie": "tied tying",
        "lie": "lied lying lain",
        "forbid": "forbade forbidden",
        "throw": "threw thrown",
        "draw": "drew drawn",
        "grow": "grew grown",
        "show": "shown",
        "hear": "heard",
        "sleep": "slept",
        "feel": "felt",
        "stand": "stood",
        "understand": "understood",
        "catch": "caught",
        "shrink": "shrank shrunk",
        "steal": "stole stolen",
        "wake": "woke woken",
        "shake": "shook shaken",
        "swear": "sworn",
        "tear": "tore torn",
        "foot": "feet",
        "half": "halves",
        "analysis": "analyses",
        "licence": "license licenses licences",
        "programme": "program programs",
        "enrol": "enroll enrolled enrolment enrollment",
        "cancel": "cancellation cancelation",
        # What the stemmer would take for one word: internal and interns, customs and customers, authorities and authors.
        "inhouse": "internal internally",
        "frontier": "customs",
        "bureau": "authority authorities",
        "crucial": "important importance",
        "severity-level": "severity severities sev",
        "trial-run": "experiment experiments",
        "several": "several",
        "norway": "norwegian",
        "germany": "german",
        "sweden": "swedish swede",
        "italy": "italian",
        "finland": "finnish",
        "iceland": "icelandic",
        "austria": "austrian",
        "belgium": "belgian",
        "portugal": "portuguese",
        "japan": "japanese",
        "china": "chinese",
        "india": "indian",
        "canada": "canadian",
        "brazil": "brazilian",
        "mexico": "mexican",
        "australia": "australian",
        "turkey": "turkish",
        "czechia": "czech",
        "hungary": "hungarian",
        "ireland": "irish",
        "greece": "greek",
        "france": "french",
        "denmark": "danish",
        "netherlands": "dutch holland",
        "britain": "british",
        "switzerland": "swiss",
        "spain": "spanish",
        "poland": "polish",
        "usa": "american",
        "europe": "european",
        "asia": "asian",
        "africa": "african",
    }.items()
    for form in forms.split()
}


@cache
def base(word: str) -> str:
    """What forms of a lower-case word share: its stem, irregular verbs and plurals folded."""
    return stem(_IRREGULAR.get(word, word))


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """Meanings are numbers; a word or phrase, as its words' `base`, has any number of them."""

    meanings: dict[tuple[str, ...], frozenset[int]]
    opposites: dict[int, frozenset[int]]
    """Of a meaning those that say the contrary."""
    kinds: dict[int, frozenset[int]]
    """Of a meaning those that stand beside it and exclude it."""
    marked: frozenset[int]
    """Meanings that narrow a question where they stand, also if the other question names nothing of the kind."""
    longest: int
    """Words of the longest phrase."""
    particles: frozenset[tuple[str, str]]
    """Verbs with what may stand behind their object: switch ... on."""

    def phrases(self, bases: Sequence[str]) -> Iterator[tuple[int, int, frozenset[int]]]:
        """Cut a text into the longest phrases that are known and single words: start, end, meanings of each."""
        start = 0
        while start < len(bases):
            for end in range(min(len(bases), start + self.longest), start, -1):
                found = self.meanings.get(tuple(bases[start:end]))
                if found is not None:
                    break
            else:
                end, found = start + 1, frozenset[int]()
            yield start, end, found
            start = end


def _entries(line: str) -> list[tuple[str, ...]]:
    return [tuple(base(word) for word in entry.lower().replace("'", " ").split()) for entry in line.split(",")]


@cache
def thesaurus() -> Thesaurus:
    """The thesaurus, read once."""
    meanings: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    opposites: defaultdict[int, set[int]] = defaultdict(set)
    kinds: defaultdict[int, set[int]] = defaultdict(set)
    marked: set[int] = set()
    number = 0
    for line in _FILE.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        excluding = opposites if "|" in line else kinds
        sides = line.removeprefix("! ").split("|" if "|" in line else " / ")
        numbers = range(number, number + len(sides))
        number += len(sides)
        for meaning, side in zip(numbers, sides, strict=True):
            for entry in _entries(side):
                meanings[entry].add(meaning)
        for one, other in permutations(numbers, 2):
            excluding[one].add(other)
        if line.startswith("! "):
            marked.update(numbers[1:])
    return Thesaurus(
        {phrase: frozenset(found) for phrase, found in meanings.items()},
        {meaning: frozenset(others) for meaning, others in opposites.items()},
        {meaning: frozenset(others) for meaning, others in kinds.items()},
        frozenset(marked),
        max(map(len, meanings)),
        frozenset((phrase[0], phrase[1]) for phrase in meanings if len(phrase) == _PAIR and phrase[1] in _PARTICLES),
    )
