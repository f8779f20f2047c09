"""The pages on sources that need no foreign service: a folder, git, SQL, Slack's export and mailboxes, followed."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import anyio.to_thread

from tests.docs.following import Reader
from tests.knowledge.homes import write
from tests.knowledge.imap_server import PASSWORD, USER, Folder, ImapServer, self_signed, serving_imap
from tests.knowledge.repositories import Repository, Site, serving

PAGES = "docs/guides/sources"
TOKEN = "glpat-planted"


async def test_a_folder(reader: Reader, tmp_path: Path) -> None:
    """Its files are answered from, and what lies at the path of the rule is the people team's."""
    files = {
        "leave.md": "# Annual leave\n\nEveryone gets 27 days of annual leave.\n",
        "hr/pay.md": "# Pay\n\nPay day is the 25th.\n",
    }
    write(tmp_path / "handbook", files)
    done = await reader.follow(
        f"{PAGES}/folder.md", "Connect it", addresses={"/srv/handbook": str(tmp_path / "handbook")}
    )
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = await reader.ken("documents", "--collection", "handbook")
    assert listed.out == "handbook/hr/pay.md\tPay\t1\tpeople\nhandbook/leave.md\tAnnual leave\t1\teveryone\n"


async def test_a_git_repository(reader: Reader, tmp_path: Path) -> None:
    """A private one, over HTTP with a token: only what lies in the folder and isn't excluded."""
    repository = await anyio.to_thread.run_sync(Repository, tmp_path / "team" / "runbooks.git")
    files: dict[str, str | bytes | None] = {
        "docs/mail/relay.md": "# Mail relay\n\nRestart the mail relay with `systemctl restart postfix`.\n",
        "docs/door.md": "# Door\n\nThe door opens with a badge.\n",
        "docs/drafts/idea.md": "# Idea\n\nNothing yet.\n",
        "README.md": "# Runbooks\n\nSee docs.\n",
    }
    await anyio.to_thread.run_sync(repository.commit, files)
    async with serving(Site(tmp_path, token=TOKEN)) as site:
        done = await reader.follow(
            f"{PAGES}/git.md",
            "Connect it",
            addresses={"https://git.example.org": site.url},
            environment={"RUNBOOKS_TOKEN": TOKEN},
        )
    assert [each.untimed for each in done.told] == list(done.shown)


async def test_a_query(reader: Reader, tmp_path: Path) -> None:
    """Each solved ticket is a document, open to its team alone."""
    place = tmp_path / "tickets.db"
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("CREATE TABLE tickets (id INTEGER PRIMARY KEY, title, body, team, changed, state)")
        rows = [
            ("Printer jams", "The printer jams in the cold because its rollers stiffen.", "desk,print", "solved"),
            ("Lost badge", "A lost badge is blocked at the reception.", None, "solved"),
            ("Open question", "Nobody knows.", "desk", "open"),
        ]
        insert = "INSERT INTO tickets (title, body, team, changed, state) VALUES (?, ?, ?, '2026-03-02', ?)"
        database.executemany(insert, rows)
    done = await reader.follow(
        f"{PAGES}/sql.md", "Connect it", addresses={"sqlite:////srv/desk/tickets.db": f"sqlite:///{place}"}
    )
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = await reader.ken("documents", "--collection", "desk")
    assert listed.out == "desk/1.md\tPrinter jams\t1\tdesk,print\ndesk/2.md\tLost badge\t1\t\n"


async def test_a_slack_export(reader: Reader, tmp_path: Path) -> None:
    """A thread is one document under its first message; a private channel carries its own group."""
    asked, at = "Who has the key to the bike cellar?", 1770026400
    answer = {"type": "message", "user": "U2", "text": "The key to the bike cellar hangs at the reception."}
    files: dict[str, list[dict[str, object]]] = {
        "users.json": [{"id": "U1", "name": "ann"}, {"id": "U2", "name": "bo"}],
        "channels.json": [{"id": "C1", "name": "general", "members": ["U1"]}],
        "groups.json": [{"id": "G1", "name": "board", "members": ["U1"]}],
        "general/2026-02-02.json": [
            {"type": "message", "user": "U1", "text": asked, "ts": f"{at}.000000", "thread_ts": f"{at}.000000"},
            {**answer, "ts": f"{at + 60}.000000", "thread_ts": f"{at}.000000"},
            {"type": "message", "user": "U1", "text": "Lunch is at noon.", "ts": f"{at + 90}.000000"},
        ],
        "board/2026-02-02.json": [
            {"type": "message", "user": "U1", "text": "The plan is secret.", "ts": f"{at}.000000"}
        ],
    }
    place = tmp_path / "export.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    done = await reader.follow(f"{PAGES}/slack.md", "Connect it", addresses={"/srv/slack/export.zip": str(place)})
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = await reader.ken("documents", "--collection", "slack", "--json")
    found = {each["path"]: (each["groups"], each["url"]) for each in json.loads(listed.out)}
    assert found["board/2026-02-02/messages.md"][0] == ["slack:board"]
    thread = f"general/2026-02-02/thread-{at}.000000.md"
    assert found[thread] == (["everyone"], f"https://example.slack.com/archives/C1/p{at}000000")


def letter(subject: str, text: str) -> bytes:
    """A message with an id of its own."""
    head = f"From: Ann <ann@example.org>\r\nMessage-ID: <{subject}@example.org>\r\nSubject: {subject}\r\n"
    return f"{head}Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n{text}\r\n".encode()


async def test_mbox_files(reader: Reader, tmp_path: Path) -> None:
    """Each message is a document for the support team."""
    place = tmp_path / "support.mbox"
    letters = [
        letter("Fuse of the pump", "The pump needs a 10 ampere fuse."),
        letter("Hose", "The hose is two metres long."),
    ]
    place.write_bytes(
        b"".join(b"From ann@example.org Mon Mar  2 10:00:00 2026\r\n" + each + b"\r\n" for each in letters)
    )
    done = await reader.follow(f"{PAGES}/mail.md", "Mbox files", addresses={"/srv/mail/support.mbox": str(place)})
    assert [each.untimed for each in done.told] == list(done.shown)


async def test_an_imap_server(reader: Reader, tmp_path: Path) -> None:
    """Over TLS, with a certificate of one's own authority; nothing is marked as read."""
    context, certificate = await anyio.to_thread.run_sync(self_signed, tmp_path)
    server = ImapServer(folders={"INBOX": Folder(), "Archive": Folder()}, context=context)
    server.folders["INBOX"].add(letter("Offer for the crane", "The offer for the crane is valid for sixty days."))
    server.folders["Archive"].add(letter("Ladder", "The ladder costs 90 euros."))
    async with serving_imap(server, is_tls=True):
        done = await reader.follow(
            f"{PAGES}/mail.md",
            "An IMAP server",
            addresses={"imap.example.org": "127.0.0.1", "procurement@example.org": USER},
            added=f'port = {server.port}\nca_file = "{certificate}"',
            environment={"PROCUREMENT_PASSWORD": PASSWORD},
        )
    assert [each.untimed for each in done.told] == list(done.shown)
    assert [folder.seen for folder in server.folders.values()] == [set(), set()]
