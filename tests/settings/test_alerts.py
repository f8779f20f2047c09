"""The [alerts] table: objectives reach the rules, secrets come from the environment, and what can't be used is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.errors import InvalidSetting
from ken.operations.alerts.delivery.email import EmailChannel
from ken.operations.alerts.delivery.webhook import WebhookChannel
from ken.operations.alerts.rule import Burn, Threshold
from ken.operations.alerts.rules import rules_of
from ken.settings import Settings, load

TABLES = """
[alerts]
base_url = "https://ken.example.com/"

[alerts.slo]
ttft_p95_ms = 1500
e2e_p95_ms_of = { summary = 15000 }
availability = 0.999

[[alerts.destinations]]
name = "channel"
kind = "slack"
url_env = "CHANNEL_HOOK"

[[alerts.destinations]]
name = "mail"
kind = "email"
host = "mail.example.com"
security = "tls"
sender = "ken@example.com"
to = ["ops@example.com"]
user = "ken"
password_env = "MAIL_PASSWORD"
severities = ["hard", "soft"]
"""


def read(home: Path, text: str) -> Settings:
    home.mkdir(exist_ok=True)
    (home / "ken.toml").write_text(text, "utf-8")
    return load(home)


def test_objectives_and_destinations_are_what_the_table_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits and error budgets follow the objectives; each destination has its address, port and secret, which nothing shows."""
    monkeypatch.setenv("CHANNEL_HOOK", "https://hooks.example.com/planted\n")
    monkeypatch.setenv("MAIL_PASSWORD", "planted")
    alerts = read(home, TABLES).alerts
    rules = {rule.name: rule.test for rule in rules_of(alerts.sources)}
    first, whole, burn, late = (rules[name] for name in ("ttft_p95", "e2e_p95", "availability_burn", "ttft_burn"))
    assert isinstance(first, Threshold)
    assert isinstance(whole, Threshold)
    assert isinstance(burn, Burn)
    assert isinstance(late, Burn)
    assert (first.limit, whole.limit, dict(whole.limits)) == (1500, 8000, {"summary": 15000})
    assert (burn.objective, late.bad.text) == (0.999, "ttft_ms.over_1500")
    channels = alerts.channels()
    channel, mail = channels["channel"], channels["mail"]
    assert isinstance(channel, WebhookChannel)
    assert isinstance(mail, EmailChannel)
    assert (channel.url, channel.links.base_url) == ("https://hooks.example.com/planted", "https://ken.example.com")
    assert (mail.port, mail.password) == (465, "planted")
    assert [(each.name, sorted(each.severities)) for each in alerts.recipients] == [
        ("log", ["hard", "soft"]),
        ("channel", ["hard"]),
        ("mail", ["hard", "soft"]),
    ]
    assert "planted" not in repr(alerts) + repr(mail) + repr(channel) + alerts.model_dump_json()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLES, "'CHANNEL_HOOK'"),
        ('[alerts]\nbase_url = "ken.example.com"\n', "begins with https://"),
        ('[[alerts.destinations]]\nname = "a"\nkind = "webhook"\n', "`url_env`"),
        ('[[alerts.destinations]]\nname = "a"\nkind = "email"\nhost = "mail"\n', "`sender`"),
        ('[[alerts.destinations]]\nname = "log"\nkind = "webhook"\nurl = "http://a.example.com"\n', "'log'"),
        ('[[alerts.rules]]\nname = "a"\nwhen = "retri_rate > 1"\n', "did you mean 'retry_rate'?"),
        ("[alerts.slo]\nttft_p95 = 3\n", "no such setting"),
    ],
)
def test_what_cannot_be_used_is_refused(home: Path, text: str, words: str) -> None:
    """The message says what is wrong and where; a secret that isn't set is named by its variable."""
    with pytest.raises(InvalidSetting) as refused:
        read(home, text)
    assert words in str(refused.value)
