"""Sharing a conversation, and searching in one's own: each reader within what that reader may read at that moment."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command

from ken.domain.answer import Answer, Choice, Message
from ken.domain.conversation import Share, Turn
from ken.domain.principal import Principal
from ken.errors import InvalidInput, NotFound
from ken.storage.conversations import Conversations
from ken.storage.database import Database
from ken.storage.forgetting import WITHDRAWN, of_documents
from ken.storage.migrations import HEAD
from ken.storage.migrations.upgrade import alembic_config
from ken.storage.naming import WITHHELD
from ken.storage.schema import conversations as table
from ken.storage.schema import documents, turn_documents
from ken.storage.shares import HIDDEN_QUESTION, Shares
from ken.storage.turns import UNKNOWABLE
from tests.storage.samples import ADA, BEN, OPERATOR, a_citation, a_trace, kept, put, set_corpus

OPEN, SECRET = "handbook/leave.md", "handbook/pay.md"


def an_answer(number: int, *cited: str, **more: object) -> Answer:
    return Answer(
        trace_id=f"{number:032x}",
        text=f"Answer {number} [1].",
        outcome="answered",
        citations=tuple(a_citation(each) for each in cited),
        notices=("Given before.",),
        **more,  # type: ignore[arg-type]
    )


def exchange(answer: Answer, question: str = "") -> tuple[Turn, Turn]:
    at = 100.0 + int(answer.trace_id, 16)
    asked = question or f"Question {int(answer.trace_id, 16)}?"
    return (
        Turn(role="user", content=asked, trace_id=answer.trace_id, at=at),
        Turn(role="assistant", content=answer.text, trace_id=answer.trace_id, at=at, answer=answer),
    )


def begun(database: Database, *answers: Answer) -> str:
    """A conversation of Ada's with these answers, over an open document and one of her group's."""
    set_corpus(database, 1, OPEN, SECRET)
    let_read(database, SECRET, "people")
    conversations = Conversations(database)
    made = conversations.create(ADA, "Leave and pay")
    for each in answers:
        conversations.append(made.id, ADA, new=exchange(each))
    return made.id


def let_read(database: Database, document_id: str, *groups: str) -> None:
    with database.write() as connection:
        connection.execute(sa.update(documents).where(documents.c.id == document_id).values(groups=sorted(groups)))


def told(share: Share) -> list[str]:
    return [turn.content for turn in share.turns]


def test_an_answer_comes_back_with_all_that_was_shown(database: Database) -> None:
    """Citations, notices and outcome are those of the answer, long after its trace has gone."""
    shown = an_answer(1, OPEN)
    read = Conversations(database).get(begun(database, shown), ADA)
    assert read.turns[1].answer == shown
    assert read.turns[0].answer is None


def test_a_share_withholds_what_its_reader_may_not_read(database: Database) -> None:
    """Ben reads the turn about the open document; of the other one, not a word, and no citation; Ada reads both."""
    shares, conversation = Shares(database), begun(database, an_answer(1, OPEN), an_answer(2, OPEN, SECRET))
    made = shares.create(conversation, ADA, groups=["everyone"])
    read = shares.get(made.id, BEN)
    assert told(read) == ["Question 1?", "Answer 1 [1].", "Question 2?", WITHHELD]
    assert read.turns[1].answer is not None
    assert read.turns[3].answer is None
    assert "pay.md" not in repr(read)
    assert told(shares.get(made.id, ADA))[3] == "Answer 2 [1]."
    assert {turn.trace_id for turn in read.turns} == {None}


def test_permissions_hold_at_reading_time(database: Database) -> None:
    """A document that is opened later opens the turn; one that is closed later closes it, for its owner too."""
    shares, conversation = Shares(database), begun(database, an_answer(1, SECRET))
    made = shares.create(conversation, ADA, groups=["engineering"])
    let_read(database, SECRET, "engineering", "people")
    assert told(shares.get(made.id, BEN))[1] == "Answer 1 [1]."
    let_read(database, SECRET, "board")
    assert told(shares.get(made.id, BEN))[1] == WITHHELD
    assert Conversations(database).get(conversation, ADA).turns[1].content == WITHHELD
    assert Conversations(database).recent(conversation, ADA, messages=1) == (Message("assistant", WITHHELD),)


def test_a_deleted_document_withdraws_what_was_shared(database: Database) -> None:
    """Before its deletion is through, and after: the text and the citations are gone from the disk, too."""
    shares, conversation = Shares(database), begun(database, an_answer(1, SECRET))
    made = shares.create(conversation, ADA, groups=["everyone"])
    of_documents(database, [SECRET])
    assert told(shares.get(made.id, ADA))[1] == WITHDRAWN
    database.purge_log()
    assert kept(database, "Answer 1 [1]") == []
    Conversations(database).append(conversation, ADA, new=exchange(an_answer(2, OPEN)))
    again = shares.create(conversation, ADA, groups=["everyone"])
    with database.write() as connection:
        connection.execute(sa.delete(documents).where(documents.c.id == OPEN))
    assert told(shares.get(again.id, BEN))[3] == WITHDRAWN


def test_an_answer_that_comes_after_its_document_went_is_not_kept(database: Database) -> None:
    """The deletion could not know of it: the turn is withdrawn as it is written."""
    conversation = begun(database, an_answer(1, "handbook/gone.md"))
    read = Conversations(database).get(conversation, ADA).turns[1]
    assert (read.content, read.answer) == (WITHDRAWN, None)


def test_what_a_withheld_answer_offered_is_withheld_as_a_question(database: Database) -> None:
    """Ken worded it from a document that the reader may not read; what the owner wrote alone stays."""
    choice = Choice(
        name="Falcon",
        question="What is the budget of Falcon?",
        document_id=SECRET,
        document_title="Pay",
        passage_id=f"{SECRET}#p0",
    )
    shares, conversation = Shares(database), begun(database, an_answer(1, choices=(choice,)))
    Conversations(database).append(conversation, ADA, new=exchange(an_answer(2, OPEN), choice.question))
    made = shares.create(conversation, ADA, groups=["everyone"])
    assert told(shares.get(made.id, BEN)) == ["Question 1?", WITHHELD, HIDDEN_QUESTION, "Answer 2 [1]."]
    assert "Falcon" not in repr(shares.get(made.id, BEN))
    assert told(shares.get(made.id, ADA))[2] == choice.question


@pytest.mark.parametrize("stranger", [OPERATOR, Principal("carl")])
def test_a_share_is_there_for_its_readers_alone(database: Database, stranger: Principal) -> None:
    """To others, operators included, it looks like one that doesn't exist; only its owner lists and ends it."""
    shares, conversation = Shares(database), begun(database, an_answer(1, OPEN))
    made = shares.create(conversation, ADA, groups=["engineering"])
    with pytest.raises(NotFound) as caught:
        shares.get(made.id, stranger)
    with pytest.raises(NotFound) as missing:
        shares.get("0" * 32, stranger)
    assert str(caught.value) == str(missing.value).replace("0" * 32, made.id)
    assert shares.list(stranger) == ()
    for who in (stranger, BEN):
        with pytest.raises(NotFound):
            shares.revoke(made.id, who)
        with pytest.raises(NotFound):
            shares.create(conversation, who, groups=["everyone"])
    assert [each.id for each in shares.list(ADA, conversation_id=conversation)] == [made.id]
    assert shares.get(made.id, BEN).owner == "ada"
    shares.revoke(made.id, ADA)
    with pytest.raises(NotFound):
        shares.get(made.id, BEN)


def test_what_is_asked_later_is_not_shared(database: Database) -> None:
    """A share ends with the turns that were there; a new one has the later turns; both go with the conversation."""
    shares, conversation = Shares(database), begun(database, an_answer(1, OPEN))
    first = shares.create(conversation, ADA, groups=["everyone"])
    later = Turn(role="user", content="And in private?", trace_id=None, at=first.until + 60.0)
    Conversations(database).append(conversation, ADA, new=[later])
    assert "And in private?" not in told(shares.get(first.id, BEN))
    Conversations(database).delete(conversation, ADA)
    assert shares.list(ADA) == ()


@pytest.mark.parametrize("groups", [[], ["a,b"], [""]])
def test_a_share_names_groups_that_can_be(database: Database, groups: list[str]) -> None:
    """None at all, and what no key can have, are refused."""
    with pytest.raises(InvalidInput):
        Shares(database).create(begun(database), ADA, groups=groups)


def test_an_answer_without_known_sources_is_shown_to_its_owner_alone(database: Database) -> None:
    """An older Ken kept it, and its trace has gone: nobody can tell what it rests on."""
    conversation = begun(database)
    bare = Turn(role="assistant", content="Old answer.", trace_id="f" * 32, at=1.0)
    Conversations(database).append(conversation, ADA, new=[bare])
    made = Shares(database).create(conversation, ADA, groups=["everyone"])
    assert told(Shares(database).get(made.id, BEN)) == [UNKNOWABLE]
    assert told(Shares(database).get(made.id, ADA)) == ["Old answer."]


def test_the_upgrade_lists_what_older_answers_name(database: Database) -> None:
    """Of a turn that an older Ken kept, the documents are those of its trace."""
    set_corpus(database, 1, OPEN, SECRET)
    conversation = Conversations(database).create(ADA, "Old")
    put(database, a_trace(1, conversation_id=conversation.id))
    old = Turn(role="assistant", content="Thirty days [1].", trace_id=f"{1:032x}", at=1.0)
    Conversations(database).append(conversation.id, ADA, new=[old])
    with database.write() as connection:
        command.downgrade(alembic_config(connection), "0006")
        command.upgrade(alembic_config(connection), HEAD)
    with database.read() as connection:
        assert connection.scalars(sa.select(turn_documents.c.document_id)).all() == [OPEN]


def test_an_earlier_question_asked_anew_takes_the_place_of_what_followed(database: Database) -> None:
    """Turns before it stay, its own and later ones are gone from the disk; the history window ends before it."""
    conversations = Conversations(database)
    conversation = begun(database, an_answer(1, OPEN), an_answer(2, OPEN), an_answer(3, OPEN))
    window = conversations.recent(conversation, ADA, messages=10, instead_of=f"{2:032x}")
    assert [message.content for message in window] == ["Question 1?", "Answer 1 [1]."]
    conversations.append(conversation, ADA, new=exchange(an_answer(4, OPEN)), instead_of=f"{2:032x}")
    texts = [turn.content for turn in conversations.get(conversation, ADA).turns]
    assert texts == ["Question 1?", "Answer 1 [1].", "Question 4?", "Answer 4 [1]."]
    assert kept(database, "Question 3?") == []
    with pytest.raises(NotFound, match="no question with the trace"):
        conversations.recent(conversation, ADA, messages=10, instead_of=f"{3:032x}")


@pytest.mark.parametrize(("title", "later"), [("Question 1?", "Question 2?"), ("Mine", "Mine")])
def test_a_title_follows_the_question_that_gave_it(database: Database, title: str, later: str) -> None:
    """One that its owner gave stays."""
    conversations, conversation = Conversations(database), begun(database, an_answer(1, OPEN))
    conversations.rename(conversation, ADA, title=title)
    conversations.append(conversation, ADA, new=exchange(an_answer(2, OPEN)), instead_of=f"{1:032x}")
    assert conversations.get(conversation, ADA).title == later


def test_ones_conversations_are_searched_by_titles_and_turns(database: Database) -> None:
    """All words in the title or in one turn, in whatever case; the place is told; others' and withheld words are not found."""
    conversations = Conversations(database)
    begun(database, an_answer(1, SECRET))
    other = conversations.create(ADA, "Über Kräne")
    conversations.append(
        other.id, ADA, new=[Turn(role="user", content="50% off? " * 9 + "Why?", trace_id=None, at=1.0)]
    )
    conversations.create(BEN, "Leave of Ben's")

    def found(words: str) -> list[tuple[str, str]]:
        return [(each.title, each.found) for each in conversations.list(ADA, words=words).entries]

    assert found("PAY leave") == [("Leave and pay", "")]
    assert found("answer 1") == [("Leave and pay", "Answer 1 [1].")]
    assert found("über") == found("KRÄNE") == [("Über Kräne", "")]
    assert [title for title, _ in found("50%")] == ["Über Kräne"]
    assert found("5_%") == found("leave of ben's") == found("pay why?") == []
    assert found("why?")[0][1].startswith("…")
    assert found("why?")[0][1].index("Why?") < 20, "a narrow list shows the start of it"
    let_read(database, SECRET, "board")
    assert found("answer 1") == []
    with pytest.raises(InvalidInput, match="at most 8 words"):
        found("a b c d e f g h i")


def test_pages_of_a_search_meet(database: Database) -> None:
    """What is left out between two pages, as its words are withheld, makes no page short and repeats nothing."""
    conversations = Conversations(database)
    set_corpus(database, 1, OPEN, SECRET)
    let_read(database, SECRET, "people")
    for number in range(1, 10):
        made = conversations.create(ADA, f"talk {number}")
        cited = SECRET if number % 2 else OPEN
        conversations.append(made.id, ADA, new=exchange(an_answer(number, cited), "?"))
        with database.write() as connection:
            connection.execute(sa.update(table).where(table.c.id == made.id).values(updated_at=float(number)))
    let_read(database, SECRET, "board")
    first = conversations.list(ADA, limit=3, words="answer")
    second = conversations.list(ADA, limit=3, words="answer", before=first.before)
    assert [each.title for each in (*first.entries, *second.entries)] == ["talk 8", "talk 6", "talk 4", "talk 2"]
    assert second.before is None
