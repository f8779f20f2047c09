"""Messages on their way out: over real sockets, signed, tried again, and sent once by several who share a database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import shlex
import ssl
import time
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import pytest

from ken.domain.alert import Alert, Notice
from ken.errors import DeliveryFailed
from ken.operations.alerts.delivery.email import EmailChannel
from ken.operations.alerts.delivery.log import LogChannel
from ken.operations.alerts.delivery.message import Links, payload, text
from ken.operations.alerts.delivery.webhook import WebhookChannel, slack
from tests.knowledge.imap_server import self_signed
from tests.operations.receivers import mail_server, web_server

AT = 1_800_000_000.0
LINKS = Links("https://ken.example.com")
FIRING = Alert(
    rule="ttft_p95",
    labels=(("task_type", "lookup & <more>"),),
    severity="hard",
    group="latency",
    state="firing",
    began_at=AT - 120,
    since=AT,
    fired_at=AT,
    seen_at=AT,
    value=3512.0,
    expected=2000.0,
    count=57,
    summary="The first token comes late: p95 3,512 ms.",
    runbook="docs/guides/alerts.md#latency",
    where='(ttft.ms > 2000) and task_type = "lookup & <more>"',
    traces=("0af7651916cd43dd8448eb211c80319c",),
)
OVER = replace(FIRING, rule="retry_rate", labels=(), state="resolved", resolved_at=AT + 60)
NOTICE = Notice(id="ab" * 16, group="latency", destination="there", made_at=AT, alerts=(FIRING, OVER), due_at=AT)


async def test_a_webhook_gets_signed_json_with_links_to_the_traces() -> None:
    """Whoever has the secret can tell that it is genuine, and follow it to the figures and the traces."""
    async with web_server() as there:
        hook = WebhookChannel("there", there.url, secret="planted", links=LINKS)
        await hook.send(NOTICE)
        await hook.aclose()
    [posted] = there.got
    signed = hmac.new(b"planted", posted.headers["x-ken-timestamp"].encode() + b"." + posted.body, hashlib.sha256)
    assert posted.headers["x-ken-signature"] == f"v1={signed.hexdigest()}"
    assert posted.headers["x-ken-message-id"] == NOTICE.id
    assert abs(time.time() - float(posted.headers["x-ken-timestamp"])) < 60
    assert posted.json == payload(NOTICE, LINKS)
    [first, second] = payload(NOTICE, LINKS)["alerts"]  # type: ignore[misc]
    assert (first["state"], second["state"]) == ("firing", "resolved")
    assert first["links"]["view"] == f"https://ken.example.com/alerts?alert={FIRING.fingerprint}"
    assert first["links"]["traces"].startswith("https://ken.example.com/traces?where=%28ttft.ms%20%3E%202000%29")
    assert first["commands"]["traces"] == f"ken trace --where '{FIRING.where}'"
    assert first["links"]["each"] == ["https://ken.example.com/traces/0af7651916cd43dd8448eb211c80319c"]


@pytest.mark.parametrize(
    ("status", "final"), [(302, True), (400, True), (404, True), (408, False), (429, False), (500, False), (503, False)]
)
async def test_an_answer_says_whether_to_try_again(status: int, *, final: bool) -> None:
    """A redirect is followed nowhere; what the receiver may get over is tried again; its address is in no message."""
    async with web_server(status) as there:
        hook = WebhookChannel("there", there.url)
        with pytest.raises(DeliveryFailed) as failed:
            await hook.send(NOTICE)
        await hook.aclose()
    assert failed.value.is_final is final
    assert str(status) in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
    assert len(there.got) == 1


async def test_slack_gets_blocks_whose_signs_are_escaped() -> None:
    """A label can't make a link or a mention; a message without a base address has commands instead."""
    async with web_server() as there:
        hook = slack("there", there.url)
        await hook.send(NOTICE)
        await hook.aclose()
    [posted] = there.got
    told = posted.body.decode()
    assert "lookup &amp; &lt;more&gt;" in told
    assert "ken trace --where" in told
    assert [part["type"] for part in posted.json["blocks"]][:3] == ["header", "section", "context"]  # type: ignore[index, union-attr]


def mail_to(port: int, **changes: object) -> EmailChannel:
    told: dict[str, object] = {
        "security": "none",
        "sender": "ken@example.com",
        "to": ("a@example.com", "b@example.com"),
    }
    return EmailChannel(name="mail", host="127.0.0.1", port=port, **told | changes)  # pyright: ignore[reportArgumentType]


async def test_mail_goes_over_starttls_with_a_login(tmp_path: Path) -> None:
    """Nothing is said before the connection is secure; every recipient is named; the text leads to the traces."""
    server, certificate = self_signed(tmp_path)
    client = ssl.create_default_context(cafile=str(certificate))
    async with mail_server(tls=server) as there:
        await mail_to(there.port, security="starttls", user="ken", password="planted", links=LINKS, trust=client).send(
            NOTICE
        )
    assert there.secured
    assert [base64.b64decode(login) for login in there.logins] == [b"\0ken\0planted"]
    assert there.to == ["a@example.com", "b@example.com"]
    mail = message_from_string(there.mails[0])
    assert mail["Subject"].strip().startswith("[Ken] latency: 1 firing, 1 resolved: ttft_p95")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n").splitlines()[:6] == text(NOTICE, LINKS).splitlines()[:6]


async def test_mail_to_a_server_that_nobody_vouches_for_is_not_sent(tmp_path: Path) -> None:
    """Without trust in its certificate neither the password nor the message leaves."""
    server, _ = self_signed(tmp_path)
    async with mail_server(tls=server) as there:
        with pytest.raises(DeliveryFailed, match="SSLCertVerificationError"):
            await mail_to(there.port, security="starttls", user="ken", password="planted").send(NOTICE)
    assert (there.logins, there.mails) == ([], [])


@pytest.mark.parametrize(("code", "final"), [(451, False), (554, True)])
async def test_a_mail_server_says_whether_to_try_again(code: int, *, final: bool) -> None:
    """A code of the four hundreds is for now, one of the five hundreds for ever (RFC 5321, section 4.2.1)."""
    async with mail_server(code=code) as there:
        with pytest.raises(DeliveryFailed, match=str(code)) as failed:
            await mail_to(there.port).send(NOTICE)
    assert failed.value.is_final is final


async def test_the_log_has_a_line_for_each_alert(caplog: pytest.LogCaptureFixture) -> None:
    """A hard one is an error, its end a warning: what is less is in no home's log."""
    caplog.set_level(logging.INFO, "ken.alerts")
    await LogChannel().send(NOTICE)
    assert [(each.levelname, each.getMessage().split(":")[0]) for each in caplog.records] == [
        ("ERROR", "alert firing"),
        ("WARNING", "alert resolved"),
    ]


def test_a_message_has_commands_beside_its_links() -> None:
    """Links lead to the API; a terminal takes the commands as they stand, whatever quotes the filter has."""
    quoted = replace(FIRING, where='(ttft.ms > 2000) and category = "people\'s"')
    told = text(replace(NOTICE, alerts=(quoted,)), LINKS)
    [line] = [line for line in told.splitlines() if "ken trace --where" in line]
    assert shlex.split(line.partition("ken trace")[2]) == ["--where", quoted.where]
    assert "ken alerts list" in told
    assert f"ken trace {FIRING.traces[0]} https://ken.example.com/traces/" in told
