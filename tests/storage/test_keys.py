from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from ken.storage.database import Database
from ken.storage.keys import Keys
from ken.storage.schema import keys as table
from tests.storage.samples import kept


def test_a_key_stands_for_a_principal_with_its_groups(database: Database) -> None:
    """Its secret is found to be the key's principal; the home keeps a digest only."""
    keys = Keys(database)
    key, secret = keys.create("intranet", ["people", "engineering"])
    assert secret.startswith("ken-")
    assert len(secret) >= 4 + 43
    assert keys.authenticate(secret) == Principal(key.id, frozenset({"people", "engineering"}))
    assert keys.list() == (key,)
    assert kept(database, secret) == []
    assert kept(database, secret[4:20]) == []


@pytest.mark.parametrize("secret", ["", "ken-", "ken-wrong", "Bearer x", "\ud800", "x" * 100_000])
def test_an_unknown_secret_is_refused(database: Database, secret: str) -> None:
    """Whatever is sent that is no key's secret gets the same refusal."""
    keys = Keys(database)
    keys.create("intranet", [])
    with pytest.raises(NotAuthorised, match="unknown or was revoked"):
        keys.authenticate(secret)


def test_a_revoked_key_is_refused_at_once(database: Database) -> None:
    """In the process that revoked it; the list says when; revoking again changes nothing."""
    keys = Keys(database)
    key, secret = keys.create("intranet", [])
    _, other = keys.create("batch", [])
    keys.authenticate(secret)
    revoked = keys.revoke(key.id)
    assert revoked.revoked_at is not None
    with pytest.raises(NotAuthorised):
        keys.authenticate(secret)
    assert keys.revoke(key.id) == revoked
    assert revoked in keys.list()
    assert keys.authenticate(other)


def test_another_process_learns_of_new_and_revoked_keys_within_a_second_or_so(
    database: Database, again: Callable[[], Database]
) -> None:
    """Its memory of the keys, which saves SQL, is never older than that."""
    elsewhere = again()
    server, terminal = Keys(database), Keys(elsewhere)
    key, secret = terminal.create("intranet", [])
    assert server.authenticate(secret)
    terminal.revoke(key.id)
    _, late = terminal.create("batch", [])
    elsewhere.close()
    time.sleep(1.1)
    with pytest.raises(NotAuthorised):
        server.authenticate(secret)
    assert server.authenticate(late)


def test_authenticating_asks_the_database_rarely(database: Database) -> None:
    """A thousand requests within the second read the keys no more than a few times."""
    keys = Keys(database)
    _, secret = keys.create("intranet", [])
    statements: list[str] = []
    sa.event.listen(
        sa.Engine, "before_cursor_execute", watch := lambda *event: statements.append(event[2]), named=False
    )
    try:
        for _ in range(1000):
            keys.authenticate(secret)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", watch)
    assert 1 <= sum("FROM keys" in statement for statement in statements) <= 5


@pytest.mark.parametrize("group", ["", " people", "people ", "a,b", "x" * 101, "a\x00b", "people\n"])
def test_a_group_that_cannot_be_named_so_is_refused(database: Database, group: str) -> None:
    """A group has a name without commas and outer blanks, of any letters; nothing is kept of a key with another."""
    keys = Keys(database)
    with pytest.raises(InvalidInput, match="group"):
        keys.create("intranet", ["people", group])
    assert keys.list() == ()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x1b[31mb"])
def test_a_name_that_cannot_be_shown_is_refused(database: Database, name: str) -> None:
    """A key has a name of printable characters."""
    with pytest.raises(InvalidInput, match="name a key"):
        Keys(database).create(name, [])


def test_a_name_is_taken_until_its_key_is_revoked(database: Database) -> None:
    """Two keys in force never share a name, and a new one under an old name is another principal."""
    keys = Keys(database)
    first, _ = keys.create("intranet", [])
    with pytest.raises(Conflict, match="'intranet'"):
        keys.create(" intranet ", [])
    keys.revoke(first.id)
    second, _ = keys.create("intranet", [])
    assert second.id != first.id
    assert {key.id for key in keys.list()} == {first.id, second.id}


def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    """The error names the id and where to find the right one."""
    with pytest.raises(NotFound, match=r"key-ffff.*ken keys list"):
        Keys(database).revoke("key-ffff")
    with database.read() as connection:
        assert connection.execute(sa.select(table)).all() == []
