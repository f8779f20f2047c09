from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from ken.errors import InvalidSetting
from ken.gateway.counting import BLOCK, Counting, Family, counter, estimate

PROSE = """\
Employees may take up to five days of carer's leave in any calendar year. The leave is unpaid unless the person in need of
care lives in the same household, in which case the first two days are paid in full. Requests go to the line manager by
e-mail, if possible a week beforehand; in an emergency a phone call on the same morning is enough. Nobody has to say what the
illness is. Managers record the days in the time sheet under the heading "carer's leave" and forward nothing else. Where the
manager and the employee disagree about whether the circumstances qualify, the question is decided by the department of
human resources within three working days, and until then the leave counts as granted.
"""
CODE = '''\
def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies, interpolated."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    lower = math.floor(place)
    upper = min(lower + 1, len(ordered) - 1)
    weight = place - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


class Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_right(self.bounds, value)] += 1
'''
DATA = json.dumps(
    {
        "question": "How many days of carer's leave may I take?",
        "principal": {"id": "key-4f1c", "groups": ["staff", "hr"]},
        "passages": [
            {"document": "hr/leave.md", "start": 120, "end": 684, "relevance": 0.87},
            {"document": "hr/absence.md", "start": 0, "end": 311, "relevance": 0.42},
        ],
        "stages": {"retrieve": 12.5, "assemble": 1.25, "generate": 840.0},
        "cached": False,
        "error": None,
    },
    indent=2,
)
TEXTS = {"prose": PROSE, "code": CODE, "JSON": DATA}
REFERENCE = {
    ("gpt2", "prose"): 154,
    ("gpt2", "code"): 266,
    ("gpt2", "JSON"): 273,
    ("newer", "prose"): 149,
    ("newer", "code"): 187,
    ("newer", "JSON"): 185,
}
"""Counted with GPT-2's own vocabulary, and with OpenAI's cl100k_base. None of these texts was fitted on."""


@pytest.mark.parametrize(("family", "kind"), REFERENCE)
def test_an_estimate_is_near_what_a_real_vocabulary_counts(family: Family, kind: str) -> None:
    """Within 5 % on a page of each kind."""
    assert estimate(TEXTS[kind], family=family) == pytest.approx(REFERENCE[family, kind], rel=0.05)


def test_an_estimate_goes_on_over_long_texts_and_other_scripts() -> None:
    """Twenty pages have twenty times the tokens of one; each sign of another script is about one and at most three."""
    pages = 20 * BLOCK // len(PROSE)
    assert estimate(PROSE * pages) == pytest.approx(estimate(PROSE) * pages, rel=0.01)
    assert 300 < estimate("知识库回答问题" * 100) < 2_100
    assert (estimate(""), estimate("a"), estimate("\ud800")) == (0, 1, pytest.approx(1, abs=1))


def test_the_tokenizer_that_an_operator_names_counts_exactly(tmp_path: Path) -> None:
    """Here one that takes each byte as a token. A file that is no tokenizer is refused with the remedy."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE({sign: number for number, sign in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(path := tmp_path / "tokenizer.json"))
    assert counter(path)("Grüße, Welt") == len("Grüße, Welt".encode())
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(InvalidSetting, match=r"broken\.json' can't be read: .*Name a file `tokenizer\.json`"):
        counter(broken)


def test_a_chat_template_is_counted_with_the_messages_and_not_with_the_texts_of_an_embedder() -> None:
    """Four tokens a message and three for the reply, as the templates of hosted models have it."""
    texts = ["one two", "three"]
    assert Counting(count=len).asked(texts) == 12 + 2 * 4 + 3
    assert Counting.plain(len).asked(texts) == 12
    assert Counting(count=len).written("") == 0
