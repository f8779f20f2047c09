from __future__ import annotations

import pytest

from ken.domain.answer import Message
from ken.domain.conversation import Turn
from ken.errors import InvalidInput, NotFound
from ken.storage.conversations import Conversations
from ken.storage.database import Database
from tests.storage.samples import ADA, BEN, OPERATOR, kept


def turn(number: int, role: str = "user") -> Turn:
    return Turn(
        role="user" if role == "user" else "assistant", content=f"turn {number}", trace_id=None, at=float(number)
    )


def test_a_conversation_is_read_as_it_was_kept(database: Database) -> None:
    """Turns come back whole, in their order, with the conversation they belong to."""
    conversations = Conversations(database)
    begun = conversations.create(ADA, "Notice\n period?")
    kept = [turn(1), Turn(role="assistant", content="Thirty days ✓", trace_id="ab" * 16, at=2.5)]
    conversations.append(begun.id, ADA, new=kept[:1])
    conversations.append(begun.id, ADA, new=kept[1:])
    read = conversations.get(begun.id, ADA)
    assert read.turns == tuple(kept)
    assert (read.title, read.principal, read.created_at) == ("Notice period?", "ada", begun.created_at)
    assert read.updated_at > begun.updated_at


def test_the_history_window_is_the_end_of_the_conversation(database: Database) -> None:
    """The last messages come oldest first, and no more than asked for."""
    conversations = Conversations(database)
    begun = conversations.create(ADA, "t")
    conversations.append(begun.id, ADA, new=[turn(number) for number in range(5)])
    assert conversations.recent(begun.id, ADA, messages=2) == (Message("user", "turn 3"), Message("user", "turn 4"))
    assert len(conversations.recent(begun.id, ADA, messages=50)) == 5


@pytest.mark.parametrize("stranger", [BEN, OPERATOR])
def test_conversations_are_private(database: Database, stranger: object) -> None:
    """To anybody else, operators included, a conversation looks like one that doesn't exist."""
    conversations = Conversations(database)
    begun = conversations.create(ADA, "private")
    conversations.append(begun.id, ADA, new=[turn(1)])
    messages = set[str]()
    for act in (
        lambda who: conversations.get(begun.id, who),
        lambda who: conversations.append(begun.id, who, new=[turn(2)]),
        lambda who: conversations.recent(begun.id, who, messages=1),
        lambda who: conversations.rename(begun.id, who, title="mine"),
        lambda who: conversations.delete(begun.id, who),
    ):
        with pytest.raises(NotFound) as caught:
            act(stranger)
        messages.add(str(caught.value))
    with pytest.raises(NotFound) as caught:
        conversations.get("0" * 32, ADA)
    assert messages == {str(caught.value).replace("0" * 32, begun.id)}
    assert conversations.get(begun.id, ADA).turns == (turn(1),)


def test_the_list_comes_page_by_page(database: Database) -> None:
    """Pages follow each other without a gap or a repeat, last used first, while others are added."""
    conversations = Conversations(database)
    begun = [conversations.create(ADA, str(number)) for number in range(7)]
    conversations.create(BEN, "another's")
    conversations.append(begun[0].id, ADA, new=[turn(1)])
    first = conversations.list(ADA, limit=3)
    conversations.create(ADA, "later")
    second = conversations.list(ADA, limit=3, before=first.before)
    third = conversations.list(ADA, limit=3, before=second.before)
    titles = [entry.title for page in (first, second, third) for entry in page.entries]
    assert titles == ["0", "6", "5", "4", "3", "2", "1"]
    assert third.before is None
    assert all(entry.turns == () for entry in first.entries)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 501}, {"before": "yesterday"}, {"before": "1~'; --"}])
def test_a_page_that_cannot_be_is_refused(database: Database, wrong: dict[str, object]) -> None:
    """A limit out of bounds and a made-up place to go on from are the caller's mistakes."""
    with pytest.raises(InvalidInput):
        Conversations(database).list(ADA, **wrong)  # type: ignore[arg-type]


def test_a_conversation_is_renamed(database: Database) -> None:
    """A title changes, is cut where it is long, and can't be empty."""
    conversations = Conversations(database)
    begun = conversations.create(ADA, "before")
    conversations.rename(begun.id, ADA, title="word " * 100)
    title = conversations.get(begun.id, ADA).title
    assert len(title) <= 120
    assert title.endswith("word…")
    with pytest.raises(InvalidInput):
        conversations.rename(begun.id, ADA, title=" \n")
    assert conversations.get(begun.id, ADA).title == title


def test_a_deleted_conversation_is_gone_from_the_disk(database: Database) -> None:
    """Deleting takes the turns along, and what they said is in no file of the home."""
    conversations = Conversations(database)
    begun, other = conversations.create(ADA, "my 5ecret title"), conversations.create(ADA, "other")
    conversations.append(
        begun.id, ADA, new=[Turn(role="user", content="my 5ecret question " * 200, trace_id=None, at=1.0)]
    )
    conversations.append(other.id, ADA, new=[turn(1)])
    conversations.delete(begun.id, ADA)
    with pytest.raises(NotFound):
        conversations.get(begun.id, ADA)
    assert conversations.get(other.id, ADA).turns == (turn(1),)
    assert kept(database, "5ecret") == []
