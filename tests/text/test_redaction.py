from __future__ import annotations

import pytest

from ken.text.redaction import redact, redacted

SECRETS = {
    "my key is sk-proj-AbCd1234efGh5678ijKl9012mnop, thanks": "my key is [secret], thanks",
    "id AKIAIOSFODNN7EXAMPLE": "id [secret]",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789": "[secret]",
    "xoxb-123456789012-abcdefghijkl": "[secret]",
    "postgres://ken:hunter2@db.local/ken": "postgres://ken:[secret]@db.local/ken",
    "password: hunter2!": "password: [secret]",
    "The password is Tr0ub4dor&3.": "The password is [secret]",
    'api_key = "abcd1234efgh"': 'api_key = "[secret]"',
    "client_secret: '8Kx~abc.def123'": "client_secret: '[secret]'",
    "AccountKey=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==;EndpointSuffix=core": "AccountKey=[secret];EndpointSuffix=core",
    "Authorization: Bearer abcDEF123456ghiJKL": "Authorization: Bearer [secret]",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- end": "[secret] end",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N": "[secret]",
    "ken-Zk3vQ9xR7tY2wP5sL8nB4mC6jH1gF0dA": "[secret]",
    "İstanbul password: hunter2!": "İstanbul password: [secret]",
}
HARMLESS = (
    "Password: must have 12 characters",
    "The token is stored in Vault.",
    "password = os.environ['PW']",
    "token=<your-token> and secret: ${SECRET}",
    "max_tokens: 4096, tokens: 12345",
    "Reset your password at https://example.org/reset?step=2",
    "The primary key is customer_id2.",
    "Use git clone https://github.com/acme/site.git",
    "ask-for-help-in-the-team-channel-first-then-escalate",
)
PERSONAL = {
    "mail ada@lovelace.org or x@example.com": "mail [e-mail] or x@example.com",
    "DE89 3704 0044 0532 0130 00": "[iban]",
    "DE89370400440532013000": "[iban]",
    "card 4111 1111 1111 1111, exp": "card [card], exp",
    "ssn 123-45-6789": "ssn [ssn]",
    "+49 30 1234567": "[phone]",
    "call me at 030 1234567": "call me at [phone]",
    "(415) 555-2671": "[phone]",
    "from 8.8.8.8": "from [ip]",
    "2001:4860:4860::8888": "[ip]",
}
NOBODYS = (
    "card 4111 1111 1111 1112",
    "DE89 3704 0044 0532 0130 01",
    "2026-11-22 12:30:45",
    "order 2024-1234-5678",
    "version 1.2.3.4 at 192.168.0.1 or 127.0.0.1",
    "ISBN 978-3-16-148410-0 and invoice 20260001234",
    "https://site.example/rules/triggers/14607012989980",
)


@pytest.mark.parametrize(("text", "left"), SECRETS.items())
def test_a_secret_goes(text: str, left: str) -> None:
    """Keys of known forms, passwords and credentials in addresses are replaced, and what is around them stays."""
    assert redact(text) == left


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_said_about_secrets_stays(text: str) -> None:
    """Documentation speaks of passwords and tokens, and shows where one would stand: none of that is a secret."""
    assert redact(text) == text


@pytest.mark.parametrize(("text", "left"), PERSONAL.items())
def test_personal_data_goes_by_policy_alone(text: str, left: str) -> None:
    """What belongs to a person is replaced where the operator wants it, and otherwise stays."""
    assert redact(text, "personal") == left
    assert redact(text) == text


@pytest.mark.parametrize("text", NOBODYS)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    """What fails its check sum, dates, versions, order numbers and addresses of one's own network are left alone."""
    assert redact(text, "personal") == text


def test_redacting_again_changes_nothing() -> None:
    """A text that was redacted is left as it is."""
    for text in (*SECRETS, *PERSONAL):
        once = redact(text, "personal")
        assert redact(once, "personal") == once


def test_places_are_found_again() -> None:
    """A place of the original is known in the redacted text, before, within and after what was replaced."""
    text = "a hunter: password: hunter2! then b"
    done = redacted(text)
    assert done.text == "a hunter: password: [secret] then b"
    for word in ("hunter:", "then", "b"):
        assert done.text[done.moved(text.index(word)) :].startswith(word)
    within = done.moved(text.index("ter2"))
    assert done.text[:within].endswith("[secret]")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["password" * 20_000, "://a:" * 30_000, "1 " * 100_000, "a@" * 80_000, "1:" * 80_000, "-----BEGIN " * 20_000],
)
def test_no_text_takes_long(text: str) -> None:
    """Texts that are made to keep an expression busy are gone through all the same."""
    assert redact(text, "personal")
