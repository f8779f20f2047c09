"""Hypotheses and the digest over HTTP."""

from __future__ import annotations

from tests.service.serving import Served


def test_what_moved_is_told_to_operators_alone(served: Served) -> None:
    """A home that is young has no hypotheses, and says of which window; none that the console offers is too long; others are refused."""
    with served.client(served.operator) as client:
        told = client.get("/api/why", params={"since": "3h"}).raise_for_status().json()
        unknown = client.get("/api/why", params={"alert": "nonsense"})
        wrong = client.get("/api/why", params={"since": "soon"})
        long = [client.get("/api/why", params={"since": since}) for since in ("1h", "24h", "168h", "336h")]
    assert (told["alert"], told["hypotheses"]) == (None, [])
    assert 3 * 3600 - 1 <= told["until"] - told["since"] <= 3 * 3600 + 1
    assert all(each.status_code == 200 for each in long)
    assert (unknown.status_code, wrong.status_code) == (404, 400)
    with served.client(served.clerk) as client:
        assert client.get("/api/why").status_code == client.get("/api/digest").status_code == 403


def test_the_digest_comes_in_both_forms(served: Served) -> None:
    """Markdown by default; as a page that may load nothing."""
    with served.client(served.operator) as client:
        text = client.get("/api/digest", params={"day": "today"}).raise_for_status()
        drawn = client.get("/api/digest", params={"form": "html"}).raise_for_status()
        wrong = client.get("/api/digest", params={"day": "tomorrow"})
    assert text.headers["content-type"].startswith("text/markdown")
    assert text.text.startswith("# Ken on ")
    assert drawn.headers["content-type"].startswith("text/html")
    assert drawn.headers["content-security-policy"].startswith("default-src 'none'")
    assert wrong.status_code == 400
