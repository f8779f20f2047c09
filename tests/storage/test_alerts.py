"""Alerts in both stores: kept, told once by several who share them, sent by one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from ken.domain.alert import Alert, Change, Happening, Notice, Silence
from ken.errors import Conflict, NotFound
from ken.operations.alerts.delivery.channel import Channel
from ken.operations.alerts.delivery.outbox import Outbox
from ken.operations.alerts.delivery.webhook import WebhookChannel
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.happened import Happened
from ken.operations.alerts.job import AlertJob, Duties
from ken.operations.alerts.notices import Pace, Recipient
from ken.operations.alerts.rules import Source, rules_of
from ken.storage.alerts import CLAIM_S, AlertBook
from ken.storage.database import Database
from tests.operations.receivers import web_server
from tests.operations.recorded import Recorded

AT = 1_800_000_000.0
ALERT = Alert(
    rule="ttft_p95",
    labels=(("model", "a"), ("task_type", "Nachschlagen: \U0001f50e")),
    severity="hard",
    group="latency",
    state="firing",
    began_at=AT - 120,
    since=AT,
    fired_at=AT,
    seen_at=AT,
    held_s=3.5,
    value=3512.25,
    count=57,
    summary="late",
    traces=("0af7651916cd43dd8448eb211c80319c",),
    flaps=2,
)
NOTICE = Notice(id="ab" * 16, group="latency", destination="there", made_at=AT, alerts=(ALERT,), due_at=AT)


def test_alerts_changes_and_messages_are_kept_together(database: Database) -> None:
    """They come back as they were; what waits and never fired is in no history; what is gone is gone."""
    book = AlertBook(database)
    before = book.standing(AT)
    waiting = replace(ALERT, labels=(), state="pending", fired_at=None)
    both = {each.fingerprint: each for each in (ALERT, waiting)}
    changes = [Change(at=AT, alert=each, old=None) for each in both.values()]
    book.put(before, both, changes=changes, notices=[NOTICE])
    after = book.standing(AT)
    assert after.alerts == both
    assert book.changes() == (Change(at=AT, alert=ALERT, old=None),)
    assert book.changes(since=AT + 1) == book.changes(rule="other") == book.changes(severity="soft") == ()
    assert [each.notice for each in book.sendings()] == [NOTICE]
    book.put(after, {ALERT.fingerprint: ALERT}, changes=[], notices=[])
    assert book.standing(AT).alerts == {ALERT.fingerprint: ALERT}


def test_of_two_that_looked_at_the_same_time_one_keeps_what_it_found(
    database: Database, again: Callable[[], Database]
) -> None:
    """The other is told to look again, from the very first time on, and nothing of what it brought is there."""
    second = again()
    one, other = AlertBook(database), AlertBook(second)
    for rule in ("first", "second"):
        before, seen = one.standing(AT), other.standing(AT)
        alert = replace(ALERT, rule=rule)
        one.put(before, {**before.alerts, alert.fingerprint: alert}, changes=[], notices=[])
        with pytest.raises(Conflict):
            other.put(seen, {}, changes=[Change(at=AT, alert=ALERT, old=None)], notices=[replace(NOTICE, id=rule)])
    assert {alert.rule for alert in other.standing(AT).alerts.values()} == {"first", "second"}
    assert other.sendings() == ()
    assert other.changes() == ()
    second.close()


def test_a_message_is_claimed_by_one_and_comes_again_when_that_one_dies(
    database: Database, again: Callable[[], Database]
) -> None:
    """Nobody else gets it while it is claimed; without a word of what became of it, it is due again; once sent, never."""
    second = again()
    one, other = AlertBook(database), AlertBook(second)
    one.put(one.standing(AT), {}, changes=[], notices=[NOTICE, replace(NOTICE, id="later", due_at=AT + 60)])
    assert [each.id for each in one.claim(AT)] == [NOTICE.id]
    assert other.claim(AT + 1) == ()
    assert [(each.id, each.attempts) for each in other.claim(AT + CLAIM_S + 1)] == [(NOTICE.id, 2), ("later", 1)]
    other.sent(NOTICE.id)
    other.failed("later", problem="it is down", due_at=None)
    assert one.claim(AT + 10 * CLAIM_S) == ()
    assert {each.notice.id: (each.is_open, each.problem) for each in one.sendings()} == {
        NOTICE.id: (False, ""),
        "later": (False, "it is down"),
    }
    second.close()


def test_silences_rules_and_happenings_are_kept(database: Database) -> None:
    """Each as it was, as long as it holds; old ones go when it is time."""
    book = AlertBook(database)
    silence = Silence(
        id="s", rule="*", labels=(("model", "a"),), until=AT + 60, made_at=AT, made_by="olga", reason="Umzug"
    )
    book.silence(silence)
    assert book.silences(AT) == (silence,)
    assert book.silences(AT + 61) == ()
    book.unsilence("s")
    with pytest.raises(NotFound):
        book.unsilence("s")
    book.put_rule("mine", {"name": "mine", "when": "retry_rate > 1"}, now=AT)
    book.put_rule("mine", {"name": "mine", "limits": {"a": 1.5}}, now=AT)
    assert book.rules() == ({"name": "mine", "limits": {"a": 1.5}},)
    book.drop_rule("mine")
    with pytest.raises(NotFound):
        book.drop_rule("mine")
    happened = [Happening(kind="breaker", at=AT + each, of="a", until=AT + 900, told="timeouts") for each in (1, 0)]
    book.note(happened)
    assert book.happenings(AT) == tuple(reversed(happened))
    book.prune(AT + 1)
    assert book.happenings(AT) == (happened[0],)


RULES = rules_of(
    [Source("here", [{"name": "breaker_open", "compare": "event", "event": "breaker", "severity": "hard"}])]
)


@asynccontextmanager
async def looking(
    database: Database, channels: Mapping[str, Channel], *, clock: Callable[[], float] = time.time
) -> AsyncGenerator[AlertJob]:
    """A process that looks at alerts."""
    book = AlertBook(database)
    outbox = Outbox(book, channels, clock=clock, first_pause_s=0.01)
    lock = anyio.Lock()

    @asynccontextmanager
    async def held() -> AsyncGenerator[None]:
        try:
            lock.acquire_nowait()
        except anyio.WouldBlock:
            raise Conflict("somebody looks") from None
        yield
        lock.release()

    recipients = [Recipient(name=name) for name in channels]
    job = AlertJob(
        Engine(RULES, Recorded(), happenings=Happened(book)),
        book,
        outbox=outbox,
        lock=held,
        duties=Duties(recipients=recipients, pace=Pace(group_s=0)),
        clock=clock,
    )
    yield job
    await outbox.wait()
    await job.aclose()


def opened(name: str, at: float) -> Happening:
    return Happening(kind="breaker", at=at, of=name, until=at + 900, told="timeouts")


async def test_a_restart_and_a_replica_send_nothing_twice(database: Database, again: Callable[[], Database]) -> None:
    """Three processes look at the same alerts, at the same time and one after the other: one message."""
    other = again()
    async with web_server() as there:
        for _ in range(2):
            hooks = [{"there": WebhookChannel("there", there.url)} for _ in range(2)]
            async with looking(database, hooks[0]) as first, looking(other, hooks[1]) as second:
                first.tell(opened("model a", time.time()))
                second.tell(opened("model a", time.time()))
                await asyncio.gather(first.run(), second.run())
                await asyncio.gather(second.run(), first.run())
    other.close()
    assert [len(posted.json["alerts"]) for posted in there.got] == [1]  # type: ignore[arg-type]
    assert [change.new for change in AlertBook(database).changes()] == ["firing"]


async def test_one_that_hangs_holds_no_other_up(database: Database) -> None:
    """The look returns at once, the other destination has its message, and the one that hangs is tried again later."""
    async with web_server(0) as hangs, web_server() as there:
        channels: dict[str, Channel] = {
            "hangs": WebhookChannel("hangs", hangs.url, timeout_s=0.3),
            "there": WebhookChannel("there", there.url),
        }
        async with looking(database, channels) as job:
            job.tell(opened("model a", time.time()))
            began = time.monotonic()
            await job.run()
            assert time.monotonic() - began < 5
            while not there.got:  # noqa: ASYNC110 - the socket is another's
                await anyio.sleep(0.01)
    sendings = {each.notice.destination: each for each in AlertBook(database).sendings()}
    assert not sendings["there"].is_open
    assert sendings["hangs"].is_open
    assert "did not answer within 0.3 s" in sendings["hangs"].problem


async def test_what_fails_for_now_is_sent_later_under_the_same_id(database: Database) -> None:
    """Two failures, then it arrives; the receiver sees one id, and nothing comes after that."""
    ahead = [0.0]
    async with (
        web_server(503, 500, 200) as there,
        looking(database, {"there": WebhookChannel("there", there.url)}, clock=lambda: time.time() + ahead[0]) as job,
    ):
        job.tell(opened("model a", time.time()))
        for ahead[0] in (0.0, 10.0, 20.0, 30.0):
            await job.run()
            await job.outbox.wait()
    assert [posted.headers["x-ken-message-id"] for posted in there.got] == [
        there.got[0].headers["x-ken-message-id"]
    ] * 3
    assert [each.is_open for each in AlertBook(database).sendings()] == [False]
