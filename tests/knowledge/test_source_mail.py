from __future__ import annotations

import mailbox
import os
from collections.abc import Callable
from contextlib import aclosing
from email.message import EmailMessage
from pathlib import Path

import pytest

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.parse.parser import parse
from ken.knowledge.sources.imap import ImapConnector, Security
from ken.knowledge.sources.imap_session import ImapLimits, ImapLogin
from ken.knowledge.sources.mbox import MboxConnector
from ken.knowledge.sources.source import Complete, Connector, Listed, Unlisted
from tests.knowledge.imap_server import PASSWORD, USER, Folder, ImapServer, self_signed, serving_imap

LOGIN = ImapLogin(user=USER, password=PASSWORD)


def letter(number: int, text: str = "Hello.") -> bytes:
    """A message with an id of its own."""
    return f"From: Ann <ann@example.org>\r\nMessage-ID: <{number}@example.org>\r\nSubject: Letter {number}\r\n\r\n{text}\r\n".encode()


async def listed(source: Connector, cursor: str | None = None) -> tuple[dict[str, Listed], dict[str, str], Complete]:
    """The messages by path, what was refused with its reason, and the end."""
    *changes, last = [change async for change in source.changes(cursor)]
    assert isinstance(last, Complete)
    refused = {change.path: change.reason for change in changes if isinstance(change, Unlisted)}
    return {change.path: change for change in changes if isinstance(change, Listed)}, refused, last


async def texts(source: Connector, rows: dict[str, Listed]) -> list[bytes]:
    """The bytes of each message."""
    return [(await source.fetch(row)).data for row in rows.values()]


def boxed(*messages: bytes, newline: bytes = b"\n") -> bytes:
    """A mailbox file."""
    bodies = (message.replace(b"\r\n", newline) for message in messages)
    return b"".join(b"From ann@example.org Sun Feb  1 10:00:00 2026" + newline + body + newline for body in bodies)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
async def test_each_message_of_a_mailbox_file_is_a_document(tmp_path: Path, newline: bytes) -> None:
    """It is read whole, `From ` lines that were quoted in it unquoted, and becomes what the parser reads."""
    text = "Dear all,\r\n\r\n>From here on\r\nFrom there on\r\n\r\nFrom now\r\n\r\n\r\nEnd"
    place = tmp_path / "team.mbox"
    place.write_bytes(boxed(letter(1), letter(2, text), newline=newline))
    source = MboxConnector(place)
    rows, refused, end = await listed(source)
    assert await texts(source, rows) == [
        message.replace(b"\r\n", newline) for message in (letter(1), letter(2, text.replace(">From", "From")))
    ]
    assert ({path.partition("/")[0] for path in rows}, refused, end) == (
        {"team"},
        {},
        Complete(cursor=None, is_whole=True),
    )
    assert parse((await source.fetch(list(rows.values())[1])).data, name="2.eml").metadata.title == "Letter 2"


async def test_a_message_keeps_its_name_and_stamp(tmp_path: Path) -> None:
    """When others are deleted, and when a mail program notes that it was read; not when its text changes."""
    place = tmp_path / "team.mbox"
    place.write_bytes(boxed(letter(1), letter(2), letter(3)))
    source = MboxConnector(place)
    before, _, _ = await listed(source)
    marked = letter(3).replace(b"Subject", b"Status: RO\r\nX-Status: A\r\nSubject")
    place.write_bytes(boxed(letter(2, "Changed."), marked))
    after, _, _ = await listed(source)
    assert [before[path].stamp == row.stamp for path, row in after.items()] == [False, True]
    with pytest.raises(Unreadable, match="no longer where it was"):
        await source.fetch(next(iter(before.values())))
    assert b"X-Status" in (await texts(source, after))[1]


async def test_messages_that_share_an_id_stay_apart(tmp_path: Path) -> None:
    """The same message twice is one document; two texts under one id are two; without an id the head counts."""
    place = tmp_path / "team.mbox"
    bare = b"From: a@example.org\r\nSubject: x\r\n\r\nNo id\r\n"
    place.write_bytes(boxed(letter(1), letter(1), letter(1, "Other."), bare))
    source = MboxConnector(place)
    rows, _, _ = await listed(source)
    assert [data.split()[-1] for data in await texts(source, rows)] == [b"Hello.", b"Other.", b"id"]


async def test_a_file_that_a_mail_library_wrote_is_read(tmp_path: Path) -> None:
    """What Python's own mailbox writes comes back message by message."""
    box = mailbox.mbox(tmp_path / "own")
    for number in range(20):
        message = EmailMessage()
        message["Subject"], message["Message-ID"] = f"Letter {number}", f"<{number}@example.org>"
        message.set_content(f"From the start\n\n{number}\n")
        box.add(message)
    box.close()
    source = MboxConnector(tmp_path / "own")
    rows, _, _ = await listed(source)
    titles = [parse(data, name="x.eml").metadata.title for data in await texts(source, rows)]
    assert titles == [f"Letter {number}" for number in range(20)]


async def test_a_folder_of_mailboxes_is_read(tmp_path: Path) -> None:
    """Each box gives its name to its messages; other files, hidden ones and links are passed over or named."""
    (tmp_path / "2026" / "old").mkdir(parents=True)
    (tmp_path / "2026" / "old" / "in%box.mbox").write_bytes(boxed(letter(1)))
    (tmp_path / "Sent").write_bytes(boxed(letter(2)))
    (tmp_path / "Sent.msf").write_bytes(b"index")
    (tmp_path / "README").write_bytes(b"no mailbox")
    (tmp_path / ".hidden").write_bytes(boxed(letter(3)))
    (tmp_path / "link.mbox").symlink_to(tmp_path / "Sent")
    (tmp_path / "empty.mbox").touch()
    (tmp_path / os.fsdecode(b"caf\xe9.mbox")).write_bytes(boxed(letter(4)))
    source = MboxConnector(tmp_path)
    rows, refused, _ = await listed(source)
    assert sorted(path.rpartition("/")[0] for path in rows) == ["2026/old/in%25box", "Sent"]
    assert {reason.split(". ")[0].rpartition("is ")[2] for reason in refused.values()} == {
        "not UTF-8",
        "no mailbox: it does not begin with 'From '",
    }
    assert len(await texts(source, rows)) == 2
    for key in ("0:10:" + "0" * 64 + ":../x", "x", "0:999999999999:" + "0" * 64 + ":Sent"):
        with pytest.raises((Unreadable, SourceDown)):
            await source.fetch(Listed(path="x.eml", key=key))


async def test_a_mailbox_that_is_none_says_so(tmp_path: Path) -> None:
    """A lost file, another file, a pipe and a message over the limit have their own words."""
    (tmp_path / "text").write_bytes(b"no mailbox")
    os.mkfifo(tmp_path / "pipe")
    for name, error in (("lost", SourceDown), ("text", SourceMisbehaves), ("pipe", SourceDenied)):
        with pytest.raises(error):
            await listed(MboxConnector(tmp_path / name))
    (tmp_path / "team").write_bytes(boxed(letter(1), letter(2, "x" * 1_000)))
    rows, refused, _ = await listed(MboxConnector(tmp_path / "team", max_bytes=500))
    assert (len(rows), len(refused)) == (1, 1)


def inbox(*messages: bytes) -> ImapServer:
    """A server with one folder."""
    folder = Folder()
    for message in messages:
        folder.add(message)
    return ImapServer(folders={"INBOX": folder})


def on(server: ImapServer, *folders: str, limits: ImapLimits | None = None, login: ImapLogin = LOGIN) -> ImapConnector:
    """A connector to it, unencrypted."""
    return ImapConnector(
        "127.0.0.1", port=server.port, login=login, folders=folders or ("INBOX",), security="none", limits=limits
    )


async def test_each_message_of_a_server_is_a_document() -> None:
    """It comes byte by byte as it is, in batches, and stays unread; paths name folder, UIDVALIDITY and UID."""
    async with serving_imap(inbox(*(letter(number) for number in range(7)))) as server:
        source = on(server, limits=ImapLimits(batch=3))
        rows, refused, end = await listed(source)
        assert list(rows) == [f"INBOX/7-{uid}.eml" for uid in range(1, 8)]
        assert await texts(source, rows) == [letter(number) for number in range(7)]
        assert (refused, end.is_whole, source.location) == ({}, True, f"imap://127.0.0.1:{server.port} INBOX")
        await source.aclose()
    assert server.folders["INBOX"].seen == set()
    assert not [command for command in server.commands if command.startswith(("SELECT", "STORE", "UID STORE"))]
    assert server.commands[-1] == "LOGOUT"


async def test_only_new_messages_are_listed_after_that() -> None:
    """While nothing was deleted; a deletion, a new UIDVALIDITY and other settings make the listing whole."""
    async with serving_imap(inbox(letter(1), letter(2))) as server:
        folder = server.folders["INBOX"]
        source = on(server)
        _, _, first = await listed(source)
        rows, _, second = await listed(source, first.cursor)
        assert (rows, second) == ({}, Complete(cursor=first.cursor, is_whole=False))
        folder.add(letter(3))
        rows, _, third = await listed(source, first.cursor)
        assert (list(rows), third.is_whole) == (["INBOX/7-3.eml"], False)

        folder.add(letter(4))
        del folder.messages[1]
        rows, _, fourth = await listed(source, third.cursor)
        assert (list(rows), fourth.is_whole) == (["INBOX/7-2.eml", "INBOX/7-3.eml", "INBOX/7-4.eml"], True)
        async with aclosing(on(server, limits=ImapLimits(max_bytes=9_999))) as other:
            assert (await listed(other, fourth.cursor))[2].is_whole
        folder.uidvalidity = 8
        rows, _, _ = await listed(source, fourth.cursor)
        assert next(iter(rows)) == "INBOX/8-2.eml"
        await source.aclose()


async def test_a_message_that_is_gone_fails_alone() -> None:
    """Deleted since, or of a folder that was made anew: the next one is read."""
    async with serving_imap(inbox(letter(1), letter(2))) as server:
        source = on(server)
        rows, _, _ = await listed(source)
        gone, kept = rows.values()
        del server.folders["INBOX"].messages[1]
        for lost in (gone, Listed(path="x.eml", key="9.2.INBOX"), Listed(path="x.eml", key="2")):
            with pytest.raises(Unreadable, match="sync again"):
                await source.fetch(lost)
        assert (await source.fetch(kept)).data == letter(2)
        await source.aclose()


async def test_folders_have_names_in_every_script() -> None:
    """All of them, or those that are named: with umlauts, quotation marks and ampersands, in folders of folders."""
    wire = {"INBOX": "INBOX", "Entw&APw-rfe/A &- B": "Entwürfe/A & B", "&ZeVnLIqe-": "日本語", "..": ".."}
    server = ImapServer(folders={name: Folder(messages={5: letter(5)}, uidnext=6) for name in wire})
    async with serving_imap(server):
        source = on(server, "*")
        rows, _, _ = await listed(source)
        assert sorted(rows) == ["%2E./7-5.eml", "Entwürfe/A & B/7-5.eml", "INBOX/7-5.eml", "日本語/7-5.eml"]
        assert await texts(source, rows) == [letter(5)] * 4
        await source.aclose()
        source = on(server, "日本語", "Entwürfe/A & B")
        assert list((await listed(source))[0]) == ["日本語/7-5.eml", "Entwürfe/A & B/7-5.eml"]
        await source.aclose()
        async with aclosing(on(server, "INBOX", "Nowhere")) as source:
            with pytest.raises(SourceMisbehaves, match="open the folder 'Nowhere': check `folders`"):
                await listed(source)


async def test_a_lost_connection_is_made_anew_once() -> None:
    """A cut in the middle of a message costs one more try; a second one in a row is a server that is down."""
    async with serving_imap(inbox(letter(1), letter(2))) as server:
        source = on(server)
        rows, _, _ = await listed(source)
        server.drops = 1
        assert await texts(source, rows) == [letter(1), letter(2)]
        server.drops = 2
        with pytest.raises(SourceDown):
            await texts(source, rows)
        assert await texts(source, rows) == [letter(1), letter(2)]
        await source.aclose()


async def test_a_large_message_is_not_taken() -> None:
    """By the size that the server gives, by what it sends, and by what it says that it will send."""
    async with serving_imap(inbox(letter(1), letter(2, "x" * 5_000))) as server:
        source = on(server, limits=ImapLimits(max_bytes=1_000))
        rows, refused, _ = await listed(source)
        assert (list(rows), list(refused)) == (["INBOX/7-1.eml"], ["INBOX/7-2.eml"])
        server.folders["INBOX"].messages[1] = letter(1, "y" * 5_000)
        with pytest.raises(Unreadable, match="more than"):
            await texts(source, rows)
        server.huge_literal = True
        with pytest.raises(SourceDown, match="1,000,000,000,000 bytes at once"):
            await texts(source, rows)
        await source.aclose()


def wrong_password(server: ImapServer) -> None:
    server.login_refusal = "[AUTHENTICATIONFAILED] no"


def busy(server: ImapServer) -> None:
    server.login_refusal = "[UNAVAILABLE] try again later"


def bye(server: ImapServer) -> None:
    server.greeting = b"* BYE overloaded\r\n"


def no_imap(server: ImapServer) -> None:
    server.greeting = b"220 mail.example.org ESMTP\r\n"


def silent(server: ImapServer) -> None:
    server.silent_on = "EXAMINE"


def nameless(server: ImapServer) -> None:
    server.folders["INBOX"].uidvalidity = 0


@pytest.mark.parametrize(
    ("failing", "error", "words"),
    [
        (wrong_password, SourceDenied, "check the user and the password"),
        (busy, SourceDown, "busy"),
        (bye, SourceDown, "tried again later"),
        (no_imap, SourceMisbehaves, "doesn't speak IMAP"),
        (silent, SourceDown, "timed out"),
        (nameless, SourceMisbehaves, "UIDVALIDITY"),
    ],
)
async def test_a_server_that_fails_says_how(
    failing: Callable[[ImapServer], None], error: type[SourceError], words: str
) -> None:
    """Whether to wait, to mend the password or the settings; the password is in no message."""
    server = inbox(letter(1))
    failing(server)
    async with serving_imap(server):
        source = on(server, limits=ImapLimits(timeout_s=0.5))
        with pytest.raises(error, match=words) as failed:
            await listed(source)
        assert PASSWORD not in str(failed.value) + repr(LOGIN)
        await source.aclose()
    with pytest.raises(SourceDown, match="can't be reached"):
        await listed(on(server))


async def test_a_password_in_any_script_is_sent() -> None:
    """Where the server takes it by AUTHENTICATE PLAIN."""
    server = inbox(letter(1))
    server.capabilities = "IMAP4rev1 AUTH=PLAIN LOGINDISABLED"
    async with serving_imap(server):
        source = on(server, login=ImapLogin(user="ann", password="pässwörd"))
        assert len((await listed(source))[0]) == 1
        await source.aclose()


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_connection_is_encrypted_and_checked(tmp_path: Path, security: Security) -> None:
    """With the authority's certificate it is read; a server that nobody vouches for gets no password."""
    server = inbox(letter(1))
    server.context, certificate = self_signed(tmp_path)
    server.capabilities = "IMAP4rev1 STARTTLS"
    async with serving_imap(server, is_tls=security == "tls"):
        source = ImapConnector("127.0.0.1", port=server.port, login=LOGIN, security=security, ca_file=certificate)
        rows, _, _ = await listed(source)
        assert await texts(source, rows) == [letter(1)]
        await source.aclose()
        server.commands.clear()
        with pytest.raises(SourceMisbehaves, match="not trusted"):
            await listed(ImapConnector("127.0.0.1", port=server.port, login=LOGIN, security=security))
        assert not [command for command in server.commands if command.startswith(("LOGIN", "AUTHENTICATE"))]


async def test_encryption_is_never_left_out() -> None:
    """A server without STARTTLS gets no password, and one elsewhere is not asked without encryption."""
    async with serving_imap(inbox(letter(1))) as server:
        with pytest.raises(SourceMisbehaves, match="doesn't offer STARTTLS"):
            await listed(ImapConnector("127.0.0.1", port=server.port, login=LOGIN, security="starttls"))
    assert not [command for command in server.commands if command.startswith("LOGIN")]
    with pytest.raises(InvalidInput, match="use tls"):
        ImapConnector("mail.example.org", login=LOGIN, security="none")
    for host, folders in (("mail example", ("INBOX",)), ("mail.example.org", ()), ("mail.example.org", ("a\r\nb",))):
        with pytest.raises(InvalidInput):
            ImapConnector(host, login=LOGIN, folders=folders)
