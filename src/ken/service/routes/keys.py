"""Keys and groups: who may call, and what that opens. Operators only; a secret is shown once, when its key is made."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ken.domain.principal import EVERYONE, OPERATORS
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape, Text
from ken.storage.documents import Documents, Readable
from ken.storage.keys import Key

router = APIRouter(tags=["keys"])


class KeyShape(Shape):
    """Times are seconds since the epoch."""

    id: str = Field(description="the principal that it stands for, as traces name it")
    name: str
    groups: list[str]
    created_at: float
    revoked_at: float | None
    last_asked_at: float | None = Field(description="of its newest trace on record")
    is_yours: bool = Field(description="this request came with it")


class KeyBody(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text = Field(description="whose it is, or what it is for")
    groups: list[Text] = Field(
        default=[], description="what it may read, beside what everyone may; `operators` reads and changes everything"
    )


class KeyMade(BaseModel):
    """The only time that the secret is shown."""

    key: KeyShape
    secret: str


class OfCollection(BaseModel):
    """Documents of one collection."""

    name: str
    documents: int


class KeyName(BaseModel):
    """A key that is in force."""

    id: str
    name: str


class GroupShape(BaseModel):
    """A group, who has it, and what it opens."""

    name: str
    keys: list[KeyName] = Field(description="of `everyone`: all of them")
    documents: int = Field(description="in use that it may read: of `operators`, all")
    collections: list[OfCollection]


@router.get("/api/keys", summary="List the keys, revoked ones too")
async def list_keys(ken: Opened, principal: Operating) -> list[KeyShape]:
    """The newest first, without their secrets, which nobody can look up. Operators only."""
    asked = await anyio.to_thread.run_sync(ken.keys.last_asked)
    return [
        _shape(key, asked=asked.get(key.id), mine=principal.id) for key in await anyio.to_thread.run_sync(ken.keys.list)
    ]


@router.post("/api/keys", summary="Make a key", status_code=201)
async def create(body: KeyBody, ken: Opened, principal: Operating, response: Response) -> KeyMade:
    """Its secret is in this answer and nowhere else. Operators only."""
    response.headers["cache-control"] = "no-store"
    key, secret = await anyio.to_thread.run_sync(ken.keys.create, body.name, body.groups)
    return KeyMade(key=_shape(key, asked=None, mine=principal.id), secret=secret)


@router.delete("/api/keys/{key_id}", summary="Revoke a key")
async def revoke(key_id: str, ken: Opened, principal: Operating) -> KeyShape:
    """For good; every Ken of this home notices within a second. Operators only."""
    key = await anyio.to_thread.run_sync(ken.keys.revoke, key_id)
    return _shape(key, asked=None, mine=principal.id)


@router.get("/api/groups", summary="List the groups: who has them, what they open")
async def groups(ken: Opened, principal: Operating) -> list[GroupShape]:
    """Those that a key in force has or a document in use names, and the two that are always there. Operators only."""
    _ = principal
    keys = [key for key in await anyio.to_thread.run_sync(ken.keys.list) if key.revoked_at is None]
    readable = await anyio.to_thread.run_sync(Documents(ken.store.database).readable)
    names = {EVERYONE, OPERATORS, *(group for each in (*keys, *readable) for group in each.groups)}
    return [
        _group(name, keys, readable)
        for name in sorted(names, key=lambda name: (name not in {EVERYONE, OPERATORS}, name))
    ]


def _shape(key: Key, *, asked: float | None, mine: str) -> KeyShape:
    return KeyShape(
        id=key.id,
        name=key.name,
        groups=sorted(key.groups),
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        last_asked_at=asked,
        is_yours=key.id == mine,
    )


def _group(name: str, keys: list[Key], readable: tuple[Readable, ...]) -> GroupShape:
    opens: dict[str, int] = {}
    for each in readable:
        if name == OPERATORS or name in each.groups:
            opens[each.collection] = opens.get(each.collection, 0) + each.documents
    return GroupShape(
        name=name,
        keys=[KeyName(id=key.id, name=key.name) for key in keys if name == EVERYONE or name in key.groups],
        documents=sum(opens.values()),
        collections=[OfCollection(name=each, documents=count) for each, count in sorted(opens.items())],
    )
