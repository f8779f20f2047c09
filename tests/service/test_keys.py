"""Keys and groups over the API: made once, shown once, revoked for good; who has what opens what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(copy(tmp_path_factory.mktemp("keys") / "home")) as served:
        yield served


@pytest.fixture(scope="module")
def operator(own: Served) -> Iterator[httpx.Client]:
    with own.client(own.operator) as client:
        yield client


def made(operator: httpx.Client, name: str, *groups: str) -> tuple[str, str]:
    """A new key's id and secret."""
    answer = operator.post("/api/keys", json={"name": name, "groups": list(groups)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["key"]["id"], answer.json()["secret"]


def test_a_key_that_was_made_opens_what_its_groups_do_until_it_is_revoked(own: Served, operator: httpx.Client) -> None:
    """The secret works at once, for what its groups may read and no more; revoked, it is refused, and stays listed as such."""
    key, secret = made(operator, "Front desk", "office")
    with own.client(secret) as client:
        assert client.get("/api/documents/harbour/wages.md").status_code == 200
        assert client.get("/api/keys").status_code == 403
        revoked = operator.delete(f"/api/keys/{key}").json()
        assert revoked["revoked_at"] is not None
        assert client.get("/api/documents/harbour/wages.md").status_code == 401
    assert [each["revoked_at"] is not None for each in operator.get("/api/keys").json() if each["id"] == key] == [True]


def test_secrets_are_told_once(own: Served, operator: httpx.Client) -> None:
    """No later answer holds a secret or its digest, and no file of the home holds a secret."""
    _, secret = made(operator, "Told once")
    listed = operator.get("/api/keys").text + operator.get("/api/groups").text
    assert secret not in listed
    assert "digest" not in listed
    own.ken.recorder.flush()
    files = [path for path in own.ken.settings.home.rglob("*") if path.is_file()]
    assert [path.name for path in files if secret.encode() in path.read_bytes()] == []


def test_a_key_says_when_it_last_asked(own: Served, operator: httpx.Client) -> None:
    """The time of the newest trace of each key; none for a key that never asked; the request's own key is marked."""
    key, secret = made(operator, "Asker")
    quiet, _ = made(operator, "Quiet")
    with own.client(secret) as client:
        client.post("/api/ask?stream=false", json={"question": QUESTION})
    own.ken.recorder.flush()
    by_id = {each["id"]: each for each in operator.get("/api/keys").json()}
    newest = operator.get("/api/traces", params={"where": f"principal = {key}"}).json()["traces"][0]
    assert by_id[key]["last_asked_at"] == newest["started_at"]
    assert by_id[quiet]["last_asked_at"] is None
    assert [each["groups"] for each in by_id.values() if each["is_yours"]] == [["operators"]]


def test_groups_tell_who_has_them_and_what_they_open(operator: httpx.Client) -> None:
    """A group of documents without a key is there, so is one of a key without documents; operators open everything."""
    key, _ = made(operator, "Clerk of fuel", "fuel")
    groups = {each["name"]: each for each in operator.get("/api/groups").json()}
    assert list(groups)[:2] == ["everyone", "operators"]
    assert groups["office"]["collections"] == [{"name": "harbour", "documents": 1}]
    assert groups["everyone"]["documents"] == 3
    assert groups["operators"]["documents"] == 4
    assert groups["fuel"] == {
        "name": "fuel",
        "keys": [{"id": key, "name": "Clerk of fuel"}],
        "documents": 0,
        "collections": [],
    }
    assert key in {each["id"] for each in groups["everyone"]["keys"]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": " "}, "can't name a key"),
        ({"name": "x", "groups": ["a,b"]}, "can't name a group"),
        ({"name": "x", "group": "a"}, "group"),
    ],
)
def test_what_can_name_no_key_is_refused(operator: httpx.Client, body: dict[str, object], told: str) -> None:
    """An empty name, a group with a comma and a field that there isn't are refused with the reason."""
    answer = operator.post("/api/keys", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]


def test_a_name_in_use_is_refused(operator: httpx.Client) -> None:
    """Two keys in force never share a name; an unknown key can't be revoked."""
    made(operator, "Twice")
    assert operator.post("/api/keys", json={"name": "Twice"}).status_code == 409
    assert operator.delete("/api/keys/key-0000").status_code == 404


def test_others_may_see_none_of_it(own: Served) -> None:
    """Who is no operator gets neither keys nor groups nor settings, and can't make a key."""
    with own.client(own.clerk) as clerk:
        statuses = [clerk.get(path).status_code for path in ("/api/keys", "/api/groups", "/api/settings")]
        assert statuses == [403, 403, 403]
        assert clerk.post("/api/keys", json={"name": "mine", "groups": ["operators"]}).status_code == 403


def test_settings_tell_their_origin_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has its value and where that is from; a line of the file, the environment, the caller, or the default."""
    home = copy(tmp_path / "home")
    (home / "ken.toml").write_text(
        'history_turns = 3\nport = 1\n\n[gateway.breaker]\nmin_calls = 7\n\n[[alerts.destinations]]\nname = "chat"\nkind = "slack"\n'
        'url_env = "CHAT_URL"\n\n[[alerts.destinations]]\nname = "own"\nkind = "webhook"\nurl = "https://hooks.example/T0/secret"\n'
    )
    monkeypatch.setenv("CHAT_URL", "https://hooks.example/T1/hidden")
    monkeypatch.setenv("KEN_THREADS", "1")
    with serving(home) as served, served.client(served.operator) as operator:
        told = operator.get("/api/settings")
        settings = {each["name"]: each for each in told.json()["settings"]}
        assert _origin(settings["history_turns"]) == (3, "file", 1)
        assert _origin(settings["gateway.breaker.min_calls"]) == (7, "file", 5)
        assert _origin(settings["gateway.retries"]) == (2, "default", None)
        assert _origin(settings["threads"]) == (1, "environment", None)
        assert settings["threads"]["variable"] == "KEN_THREADS"
        assert settings["port"]["origin"] == "command line"
        assert settings["alerts.destinations.chat.url_env"]["value"] == "CHAT_URL (set)"
        assert settings["alerts.destinations.own.url"]["value"] == "https://hooks.example/…"
        assert settings["database_url"]["value"] == "not set"
        assert settings["sources"]["is_live"]
        assert "hidden" not in told.text
        assert "T0" not in told.text
        assert told.json()["has_changed"] is False
        (home / "ken.toml").write_text("history_turns = 4\n")
        assert operator.get("/api/settings").json()["has_changed"] is True


def _origin(setting: dict[str, object]) -> tuple[object, object, object]:
    return setting["value"], setting["origin"], setting["line"]
