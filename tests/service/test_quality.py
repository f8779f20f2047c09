"""The quality report over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ken.knowledge.quality.findings import MEANINGS
from tests.service.serving import Served

PATH = "/api/collections/harbour/quality"


def entries(report: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The entries of one kind."""
    return next(finding["entries"] for finding in report["findings"] if finding["kind"] == kind)


def test_the_report_has_every_kind_with_its_meaning(client: httpx.Client) -> None:
    """Found or not, with counts; and the languages with the documents in each."""
    report = client.get(PATH).json()
    assert {finding["kind"]: finding["meaning"] for finding in report["findings"]} == MEANINGS
    assert all(finding["count"] == len(finding["entries"]) for finding in report["findings"])
    assert (report["collection"], report["documents"]) == ("harbour", 4)
    assert {each["language"]: each["count"] for each in report["languages"]}["en"] >= 3


def test_everybody_gets_the_report_of_what_they_may_read(served: Served) -> None:
    """The wages count for the office alone; that no key has a group is for operators to know."""
    with served.client(served.operator) as operator:
        operator.put(
            "/api/documents/harbour/spells.md?groups=wizards", content=b"# Spells\n\nThe wind is called by name.\n"
        )
        told = operator.get(PATH).json()
        operator.delete("/api/documents/harbour/spells.md")
    assert [each["document_id"] for each in entries(told, "readable-by-nobody")] == ["harbour/spells.md"]
    for key, count in ((served.clerk, 4), (served.nobody, 3)):
        with served.client(key) as reader:
            report = reader.get(PATH)
            assert report.json()["documents"] == count
            assert ("wages" in report.text) == (count == 4)
            assert entries(report.json(), "readable-by-nobody") == []


@pytest.mark.parametrize("name", ["nowhere", "vault"])
def test_a_collection_that_may_not_be_read_is_not_found(served: Served, client: httpx.Client, name: str) -> None:
    """Whether it exists or not, the answer is the same but for its name."""
    client.put("/api/documents/vault/gold.md?groups=office", content=b"# Gold\n\nThe gold lies below.\n")
    with served.client(served.nobody) as reader:
        refused = reader.get(f"/api/collections/{name}/quality")
    client.delete("/api/documents/vault/gold.md")
    assert refused.status_code == 404
    assert refused.json()["error"]["message"] == f"There is no collection {name!r} that you may read."


def test_how_long_is_long_can_be_said(client: httpx.Client) -> None:
    """A document of an hour ago is out of date to nobody; no time at all is refused."""
    assert client.get(PATH, params={"stale_after_days": "10"}).status_code == 200
    assert client.get(PATH, params={"stale_after_days": "0"}).status_code == 400
