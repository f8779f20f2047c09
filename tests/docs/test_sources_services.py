"""The pages on sources that ask a service: a web site, a bucket, Confluence, Notion and GitHub, followed on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import anyio.to_thread
from aiohttp import web

from ken.knowledge.sources.sigv4 import AccessKey
from tests.docs.following import Reader
from tests.knowledge import repositories
from tests.knowledge.object_store import Store
from tests.knowledge.site import page, site
from tests.knowledge.test_source_confluence import Wiki
from tests.knowledge.test_source_github import Forge
from tests.knowledge.test_source_notion import Workspace, paragraph, words
from tests.knowledge.web_server import serving

PAGES = "docs/guides/sources"
ALLOWED = 'allow_hosts = ["127.0.0.1"]\nrequests_per_s = 1000'


async def test_a_web_site(reader: Reader) -> None:
    """Its sitemap names its pages; what is excluded isn't asked for."""
    listed = "".join(f"<url><loc>{{url}}{path}</loc></url>" for path in ("/", "/canteen", "/blog/party"))
    sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
    answers = {
        "/sitemap.xml": (200, {"content-type": "application/xml"}, sitemap.encode()),
        "/": page(text="<h1>Welcome</h1><p>The house has three floors.</p>"),
        "/canteen": page(text="<h1>Canteen</h1><p>The canteen opens at 11:30 on weekdays.</p>"),
        "/blog/party": page(text="<h1>Party</h1><p>It was loud.</p>"),
    }
    async with site(answers) as running:
        done = await reader.follow(
            f"{PAGES}/web.md",
            "Connect it",
            addresses={"https://docs.example.org": running.server.url},
            added=ALLOWED,
        )
        assert "/blog/party" not in running.server.paths
    assert [each.untimed for each in done.told] == list(done.shown)


async def test_a_bucket(reader: Reader) -> None:
    """What lies below the prefix, asked for with a signature that the store checks; legal's alone."""
    objects = {
        "contracts/lease.md": b"# Lease\n\nThe notice period of the lease is six months.\n",
        "contracts/power.md": b"# Power\n\nPower costs 31 cents a unit.\n",
        "wages/secret.md": b"# Wages\n\nThey rise.\n",
    }
    key = AccessKey(key_id="AKIAEXAMPLE", secret="planted+secret", region="eu-central-1")
    store = Store(objects, key=key)
    async with serving(store.answer) as server:
        done = await reader.follow(
            f"{PAGES}/s3.md",
            "Connect it",
            addresses={"https://s3.eu-central-1.amazonaws.com": server.url},
            added=ALLOWED,
            environment={"ARCHIVE_SECRET_KEY": key.secret},
        )
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = await reader.ken("documents", "--collection", "archive")
    assert listed.out == "archive/lease.md\tLease\t1\tlegal\narchive/power.md\tPower\t1\tlegal\n"


async def test_confluence(reader: Reader) -> None:
    """A restriction on a page comes along as the groups of its document; the address leads to the page."""
    wiki = Wiki(spaces=["HR"])
    approved = "<p>Remote work abroad is approved by the head of the department.</p>"
    wiki.add("101", approved, space="HR", title="Remote work")
    wiki.add("102", "<p>Salaries rise in April.</p>", space="HR", title="Salaries")
    wiki.restrictions["102"] = ([], ["hr-team"])
    async with serving(wiki.handle) as server:
        done = await reader.follow(
            f"{PAGES}/confluence.md",
            "Connect it",
            addresses={"https://example.atlassian.net": server.url},
            added=ALLOWED,
            environment={"WIKI_TOKEN": "planted"},
        )
    assert [each.untimed for each in done.told[:2]] == list(done.shown[:2])
    assert done.told[2].out.split() == done.shown[2].split()[4:], "the table that a terminal shows, under its head"
    listed = json.loads((await reader.ken("documents", "--collection", "wiki", "--json")).out)
    assert listed[0]["url"] == f"{server.url}/wiki/spaces/ENG/pages/101"


async def test_notion(reader: Reader) -> None:
    """A page and a row; who may read rows is said by the rule."""
    workspace = Workspace()
    title = {"id": "title", "type": "title", "title": words("Office plants")}
    workspace.page(1, properties={"Name": title})
    workspace.blocks[1] = [paragraph("In summer the night porter waters the plants.", id=str(1))]
    workspace.database(10, 11)
    workspace.row(12, 10, 11)
    workspace.blocks[12] = [paragraph("The largest customer is the harbour.", id=str(2))]
    async with serving(workspace.handle) as server:
        done = await reader.follow(
            f"{PAGES}/notion.md",
            "Connect it",
            addresses={},
            added=f'url = "{server.url}"\n{ALLOWED}',
            environment={"NOTION_TOKEN": "ntn_secret"},
        )
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = json.loads((await reader.ken("documents", "--collection", "notion", "--json")).out)
    assert {each["path"].partition("/")[0]: each["groups"] for each in listed} == {
        "pages": ["everyone"],
        "databases": ["sales"],
    }


async def test_github(reader: Reader, tmp_path: Path) -> None:
    """Two issues and a page of the wiki, which is a git repository beside them."""
    forge = Forge(name="example/site")
    forge.add(1)
    cause = "The deployment fails after midnight because the certificate is renewed then."
    forge.add(2, title="Deployment fails at night", body=cause)
    wiki = await anyio.to_thread.run_sync(repositories.Repository, tmp_path / "example" / "site.wiki.git")
    await anyio.to_thread.run_sync(wiki.commit, {"Home.md": "# Home\n\nThe site has two owners.\n"})
    served = repositories.Site(tmp_path)

    async def both(request: web.Request) -> web.StreamResponse:
        is_api = request.path.startswith("/api/")
        return await forge.handle(request) if is_api else await repositories.from_backend(served, request)

    async with serving(both) as server:
        done = await reader.follow(
            f"{PAGES}/github.md",
            "Connect it",
            addresses={},
            added=f'url = "{server.url}/api/v3"\n{ALLOWED}',
            environment={"TRACKER_TOKEN": "github_pat_planted"},
        )
    assert [each.untimed for each in done.told] == list(done.shown)
    listed = await reader.ken("documents", "--collection", "tracker")
    assert [line.partition("\t")[0] for line in listed.out.splitlines()] == [
        "tracker/issues/1.md",
        "tracker/issues/2.md",
        "tracker/wiki/Home.md",
    ]
