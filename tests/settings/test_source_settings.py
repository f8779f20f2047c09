"""`[[sources]]` tables: what is refused, in which words, and what becomes of paths."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

from ken.connectors.build import connector_of
from ken.errors import InvalidInput, InvalidSetting
from ken.settings import load

FOLDER = '[[sources]]\nname = "papers"\nkind = "folder"\npath = "{path}"\n'
IMAP = '[[sources]]\nname = "mail"\nkind = "imap"\nhost = "imap.example.org"\nuser = "ann"\n'
SECRET = "ghp-planted"


def written(home: Path, toml: str) -> Path:
    """A home with this ken.toml."""
    home.mkdir(exist_ok=True)
    (home / "ken.toml").write_text(toml, encoding="utf-8")
    return home


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (FOLDER + 'every = "5 minutes"', "write a number and s, m, h or d, as in '15m'"),
        (FOLDER + 'every = "5s"', "`every` is at least 10s"),
        (FOLDER + 'every = "5m"\ncron = "0 3 * * *"', "give `every` or `cron`, not both"),
        (FOLDER + 'cron = "every night"', "it is no cron expression"),
        (FOLDER + FOLDER, "must differ from each other"),
        (FOLDER + f'token = "{SECRET}"', "a secret never stands in a file"),
        (IMAP + f'password_env = "{SECRET}"', "name an environment variable, in capitals"),
        (IMAP, "it is missing"),
    ],
)
def test_what_cannot_be_used_is_refused_in_plain_words(tmp_path: Path, toml: str, words: str) -> None:
    """The setting and the remedy are named, and what may be a secret is never shown."""
    with pytest.raises(InvalidSetting) as refused:
        load(written(tmp_path, toml))
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_path_counts_from_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever `ken` was started; `~` is the home directory of the user."""
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "ken"
    for path, place in (("papers", home / "papers"), ("~/papers", tmp_path / "ann/papers"), ("/srv/x", Path("/srv/x"))):
        settings = load(written(home, FOLDER.format(path=path)))
        connector = connector_of(settings.sources[0], home=settings.home, max_bytes=1)
        assert connector.location == str(place)


async def test_a_mailbox_is_connected_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the variable that the table names; without encryption no other machine gets it."""
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    toml = f'{IMAP}password_env = "MAIL_PASSWORD"\nfolders = ["INBOX", "Sent"]\nport = 1993\n'
    settings = load(written(tmp_path, toml))
    async with aclosing(connector_of(settings.sources[0], home=tmp_path, max_bytes=1)) as connector:
        assert connector.location == "imap://imap.example.org:1993 INBOX, Sent"
    bare = load(written(tmp_path, f'{toml}security = "none"\n'))
    with pytest.raises(InvalidInput, match="for everybody on the way to read"):
        connector_of(bare.sources[0], home=tmp_path, max_bytes=1)
