"""API keys: who calls, and which groups they belong to."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from ken.storage.database import Database
from ken.storage.schema import keys, traces

REFRESH_S = 1.0
"""How long a revocation in another process may take to be felt in this one."""
LONGEST_NAME = 100
_SECRET_BYTES = 32
_GROUP = re.compile(r"[^\s,\x00-\x1f\x7f](?:[^,\x00-\x1f\x7f]{0,98}[^\s,\x00-\x1f\x7f])?")
"""Whatever a source may call its groups, as in `slack:board` or `HR Team`; commas stand between groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key without its secret. Its id is the id of the principal that it stands for."""

    id: str
    name: str
    groups: frozenset[str]
    created_at: float
    revoked_at: float | None = None


class Keys:
    """The keys of the home. Secrets are shown once and kept as SHA-256 digests only.

    The digest needs no salt and no slow hash: a secret has 256 random bits, which nobody guesses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loading = threading.Lock()
        self._by_digest: dict[str, Principal] = {}
        self._fresh_until = 0.0

    def create(self, name: str, groups: Iterable[str]) -> tuple[Key, str]:
        """Make a key; the key and its secret, which can't be shown again.

        Raises InvalidInput for an unusable name or group, Conflict when an unrevoked key has that name.
        """
        key = Key(
            id=f"key-{secrets.token_hex(8)}",
            name=_checked_name(name),
            groups=checked_groups(groups),
            created_at=time.time(),
        )
        secret = f"ken-{secrets.token_urlsafe(_SECRET_BYTES)}"
        with self._database.write() as connection:
            taken = sa.select(keys.c.id).where(keys.c.name == key.name, keys.c.revoked_at.is_(None))
            if connection.execute(taken).first() is not None:
                raise Conflict(f"There is a key {key.name!r} already. Choose another name, or revoke that one first.")
            connection.execute(
                sa.insert(keys).values(
                    id=key.id,
                    digest=_digest(secret),
                    name=key.name,
                    groups=sorted(key.groups),
                    created_at=key.created_at,
                )
            )
        self._forget()
        return key, secret

    def authenticate(self, secret: str) -> Principal:
        """Find the principal of a secret. Raises NotAuthorised for an unknown or revoked one.

        The keys are read from the database once a second at most: a new or revoked key of another process takes
        effect within that time.
        """
        # How long the look-up takes tells about digests, which nobody can steer or turn back into secrets.
        principal = self._current().get(_digest(secret))
        if principal is not None:
            return principal
        raise NotAuthorised("This API key is unknown or was revoked. Ask an operator for a new one: `ken keys create`.")

    def remembered(self, secret: str) -> Principal | None:
        """The principal of a secret, as long as what was read last still holds; None where `authenticate` has to look."""
        return self._by_digest.get(_digest(secret)) if time.monotonic() < self._fresh_until else None

    def list(self) -> tuple[Key, ...]:
        """List every key, revoked ones too, newest first."""
        query = sa.select(keys).order_by(keys.c.created_at.desc(), keys.c.id)
        with self._database.read() as connection:
            return tuple(_key(row) for row in connection.execute(query))

    def groups(self) -> frozenset[str]:
        """List every group that an unrevoked key has."""
        query = sa.select(keys.c.groups).where(keys.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return frozenset(group for row in connection.execute(query) for group in row.groups)

    def last_asked(self) -> dict[str, float]:
        """When each key last left a trace, by its id: seconds since the epoch; without those that never did."""
        newest = (
            sa.select(sa.func.max(traces.c.started_at))
            .where(traces.c.principal == keys.c.id)
            .correlate(keys)
            .scalar_subquery()
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(sa.select(keys.c.id, newest)) if row[1] is not None}

    def revoke(self, key_id: str) -> Key:
        """Revoke a key for good; a second time changes nothing. Raises NotFound."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=time.time())
            )
            row = connection.execute(sa.select(keys).where(keys.c.id == key_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no key {key_id!r}. `ken keys list` shows the ids.")
        self._forget()
        return _key(row)

    def _current(self) -> dict[str, Principal]:
        if time.monotonic() < self._fresh_until:
            return self._by_digest
        with self._loading:
            if time.monotonic() >= self._fresh_until:
                read_at = time.monotonic()
                with self._database.read() as connection:
                    rows = connection.execute(sa.select(keys).where(keys.c.revoked_at.is_(None))).all()
                self._by_digest = {row.digest: Principal(row.id, frozenset(row.groups)) for row in rows}
                self._fresh_until = read_at + REFRESH_S
            return self._by_digest

    def _forget(self) -> None:
        with self._loading:
            self._fresh_until = 0.0


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _checked_name(name: str) -> str:
    folded = " ".join(name.split())
    if not folded or len(folded) > LONGEST_NAME or not folded.isprintable():
        raise InvalidInput(f"{name!r} can't name a key: use 1 to {LONGEST_NAME} printable characters.")
    return folded


def checked_groups(groups: Iterable[str]) -> frozenset[str]:
    """Names of groups, each looked at. Raises InvalidInput for one that can't be."""
    checked = frozenset(groups)
    for group in sorted(checked):
        if not _GROUP.fullmatch(group):
            raise InvalidInput(
                f"{group!r} can't name a group: it has 1 to 100 characters, no comma, and no blank at either end."
            )
    return checked


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        id=row.id, name=row.name, groups=frozenset(row.groups), created_at=row.created_at, revoked_at=row.revoked_at
    )
