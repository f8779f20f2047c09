"""Whether two questions ask the same: what vectors miss is told by rule, and the figure tells the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ken.gateway.cache.agreement import agree, read
from ken.gateway.cache.sameness import Meaning, Sameness
from ken.models.minilm import MiniLM
from ken.text.quantities import pieces, quantities

THRESHOLD = 0.93


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        ("How do I enable MFA?", "How do I disable MFA?", "contrary"),
        ("How do I switch the heating on?", "How do I switch the heating off?", "contrary"),
        ("Is the volume encrypted?", "Is the volume unencrypted?", "contrary"),
        ("Which files are backed up?", "Which files aren't backed up?", "not"),
        ("Are laptops allowed without a lock?", "Are laptops allowed with a lock?", "not"),
        ("May I carry over 14 days?", "May I carry over 30 days?", "numbers differ: 14 days and 30 days"),
        ("Is the limit one thousand users?", "Is the limit 10k users?", "numbers differ"),
        ("Does a ticket close after 5 days?", "Does a ticket close after 5 working days?", "units differ"),
        ("Is 5 GB enough?", "Is 5 MB enough?", "units differ"),
        ("Do I need approval above 500 EUR?", "Do I need approval above 500 USD?", "units differ"),
        ("What was agreed on 3 March 2025?", "What was agreed on 3 May 2025?", "differ"),
        ("What did the audit of 2024 find?", "What did the audit of 2026 find?", "numbers differ"),
        ("Is the office open on Saturday?", "Is the office open on Sunday?", "is not"),
        ("Are logs kept for a week?", "Are logs kept for a month?", "differ"),
        ("Is the report sent weekly?", "Is the report sent monthly?", "differ"),
        ("Is it cheaper to fly than to drive?", "Is it cheaper to drive than to fly?", "changed sides"),
        ("How do I install Kafka?", "How do I install Redis?", "names differ"),
        ("Does it run on Python 3.11.2?", "Does it run on Python 3.11.4?", "versions differ"),
        ("Can a manager approve an employee's trip?", "Can an employee approve a manager's trip?", "changed places"),
        ("How do I move files from Box to Drive?", "How do I move files from Drive to Box?", "against"),
        ("Can directors overrule managers?", "Can directors be overruled by managers?", "who does it"),
        ("Who trains the nurses?", "Who do the nurses train?", "nurses"),
        ("Is flying cheaper than driving?", "Is driving cheaper than flying?", "have changed"),
        ("Do I rinse it before use?", "Do I rinse it after use?", "against"),
        ("How long is the notice period?", "How often is notice given?", "asks for"),
        ("Who approves travel?", "When is travel approved?", "asks for"),
        ("Is a key needed by all users?", "Is a key needed by some users?", "is not"),
        ("Do part-time staff get a bonus?", "Do staff get a bonus?", "only one of them"),
        ("How many days do contractors get?", "How many days do employees get?", "is not"),
        ("What did the audit cost?", "What will the audit cost?", "future"),
        ("How much leave do I get?", "How much leave do I get if I work part-time?", "only one of them"),
        ("Which data is masked in tests?", "Which customer data is masked in tests?", "only one of them"),
        ("How long is mail of former staff kept?", "For how long do we keep mail of staff?", "former"),
        ("May I encrypt my backup?", "Must I encrypt my backup?", "one asks what"),
        ("Does the parser call the lexer?", "Does the lexer call the parser?", "changed places"),
        ("Can a lender sell a loan to a broker?", "May a broker pass a loan on to a lender?", "changed places"),
        ("Does the broker pay the agent a fee?", "Does the broker get a fee from the agent?", "goes to"),
        ("Does version 3 replace version 4?", "Does version 4 replace version 3?", "changed places"),
        ("Which teams support the finance team?", "Which teams does the finance team support?", "one asks who"),
        ("How do I know that it was stolen?", "What do I do when it was stolen?", "asks for"),
    ],
)
def test_a_difference_that_vectors_miss_is_found_and_said(one: str, other: str, word: str) -> None:
    """Whichever of two questions was asked first, the reason names what sets them apart."""
    reasons = agree(read(one), read(other)), agree(read(other), read(one))
    assert all(reason is not None for reason in reasons)
    assert word in str(reasons[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I enable two-factor authentication?", "How do I turn on 2FA?"),
        ("Is smoking forbidden in the office?", "Is smoking not allowed in the office?"),
        ("What happens if I don't submit on time?", "What happens if I submit late?"),
        ("Is a lock needed for half an hour?", "For 30 minutes, is a lock needed?"),
        ("Who signs orders over 10,000 euros?", "By whom are orders of more than €10k signed?"),
        ("Are restores tested each quarter?", "Are restores tested every three months?"),
        ("By 31 March 2025, what is due?", "What's due by March 31st, 2025?"),
        ("Is the shop open from 9 am?", "Is the shop open from 9:00?"),
        ("What's the PTO policy?", "What is the policy on paid time off?"),
        ("What is the VAT rate in Norway?", "What's the Norwegian rate of value added tax?"),
        ("Can managers overrule directors?", "Can directors be overruled by managers?"),
        ("How do I turn the alarm off?", "How do I switch off the alarm?"),
        ("Could you tell me how long logs are kept?", "For how long do we keep logs?"),
        ("Can't I bring my dog?", "Can I bring my dog?"),
        ("What was last reviewed?", "What was reviewed most recently?"),
        ("May I take half days off?", "May I take half a day off?"),
        ("After how long is a badge renewed?", "How often is a badge renewed?"),
        ("Is there a bus between the two sites?", "Does a bus run between the sites?"),
        ("How long are CCTV recordings kept?", "How long do we keep recordings of the security cameras?"),
        ("Do I need a badge on Saturdays and Sundays?", "Do I need a badge at the weekend?"),
    ],
)
def test_other_words_for_the_same_agree(one: str, other: str) -> None:
    """Synonyms, passives, figures in another form and polite questions are no difference, in either order."""
    assert agree(read(one), read(other)) is None
    assert agree(read(other), read(one)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("an hour and a half", ("seconds", 5_400.0)),
        ("two hundred and fifty people", ("number", 250.0)),
        ("1.5k EUR", ("EUR", 1_500.0)),
        ("ten business days", ("working days", 10.0)),
        ("Q3", ("quarter", 3.0)),
        ("noon", ("time of day", 720.0)),
        ("twice a year", ("every, in months", 6.0)),
        ("-80 °C", ("°C", -80.0)),
    ],
)
def test_a_figure_has_one_form(text: str, value: tuple[str, float]) -> None:
    """However it is written, a quantity comes out in one unit."""
    assert value in [(figure.kind, figure.value) for figure in quantities(pieces(text))]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    return MiniLM(tmp_path_factory.mktemp("models"))


class Whole:
    """The same embedder behind an endpoint: it tells nothing of single words."""

    def __init__(self, inner: MiniLM) -> None:
        self._inner = inner
        self.name = inner.name
        self.dimensions = inner.dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the protocol has it."""
        return await self._inner.embed(texts)

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """As the protocol has it."""
        return await self._inner.embed_question(text)


ASKED = "How do I get my money back for a train ticket?"
SAME = "What's the procedure for having a train ticket reimbursed?"
OTHERS = ["How do I cancel a train ticket?", "Which train goes to the airport?", "How do I reset my password?"]


@pytest.mark.parametrize("only_whole", [False, True], ids=["word vectors", "whole vectors alone"])
async def test_the_same_question_is_told_from_its_neighbours(embedder: MiniLM, *, only_whole: bool) -> None:
    """A paraphrase is likelier to ask the same than questions about the same thing, with any embedder."""
    sameness = Sameness(Whole(embedder) if only_whole else embedder)
    asked = await sameness.read(ASKED)
    candidates = [await sameness.read(text) for text in (ASKED.upper(), SAME, *OTHERS)]
    equal, paraphrase, *others = sameness.similarity(asked, candidates)
    assert equal == 1
    assert paraphrase >= THRESHOLD
    assert max(others) < THRESHOLD


async def test_a_meaning_that_was_kept_compares_as_before(embedder: MiniLM) -> None:
    """What an entry keeps (text, vector, words) is enough; words of another reading of the text are left out."""
    sameness = Sameness(embedder)
    asked, kept = await sameness.read(ASKED), await sameness.read(SAME)
    again = Meaning.restored(SAME, kept.vector, words=kept.words)
    assert sameness.similarity(asked, [again]) == sameness.similarity(asked, [kept])
    assert Meaning.restored(SAME, kept.vector, words=kept.words[:1]).words.size == 0


def test_a_long_text_agrees_with_itself_alone() -> None:
    """What is too long to be compared in words is never taken for another text."""
    text = "Why does the job fail with this log? " + "error: disk full. " * 50
    assert agree(read(text), read(text)) is None
    assert "characters" in str(agree(read(text), read(text + "Since when?")))


def test_long_and_odd_texts_are_read_in_linear_time() -> None:
    """What is no question at all is read as well, and a long one doesn't block."""
    started = time.perf_counter()
    for text in ("", "?", "\ud800", "1" * 3_000, "not " * 1_000, "a-b." * 1_000, "who is " * 700, "'" * 3_000):
        assert agree(read(text), read(text)) is None
    assert time.perf_counter() - started < 20
