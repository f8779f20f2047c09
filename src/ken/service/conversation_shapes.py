"""The JSON shapes of conversations and of what is shared of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator

from ken.service.shapes import AnswerShape, Shape, in_order


class OwnWordShape(Shape):
    """What the reader has said of an answer."""

    helpful: bool
    reason: str


class TurnShape(Shape):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str
    trace_id: str | None
    at: float
    answer: AnswerShape | None
    """All that was shown with an answer; null where it is withheld or withdrawn, and where an older Ken kept it. Of one that ended
    before its end the outcome is `failed`."""
    said: OwnWordShape | None
    """Your own word on it."""


class ConversationSummary(Shape):
    """A conversation as it stands in lists."""

    id: str
    title: str
    created_at: float
    updated_at: float


class FoundConversation(ConversationSummary):
    """One of a list; `found`: where it was searched for, the words around the place in a turn, empty where the title has them."""

    found: str


class ConversationShape(ConversationSummary):
    """A conversation with its turns, oldest first."""

    turns: list[TurnShape]


class ConversationPage(BaseModel):
    """The asker's conversations, the last used first."""

    conversations: list[FoundConversation]
    before: str | None


class ShareSummary(Shape):
    """A conversation that others may read; `until`: turns kept later are not part of it."""

    id: str
    conversation_id: str
    title: str
    owner: str
    groups: Annotated[list[str], BeforeValidator(in_order)]
    created_at: float
    until: float


class ShareShape(ShareSummary):
    """A shared conversation with its turns, oldest first, as far as the reader may read them."""

    turns: list[TurnShape]


class SharePage(BaseModel):
    """What you have shared, newest first."""

    shares: list[ShareSummary]
