"""A bucket as a source, against a store that checks each signature itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from ken.errors import InvalidInput, KenError, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.s3 import Bucket, S3Connector
from ken.knowledge.sources.sigv4 import AccessKey, signed_headers, signing_key
from ken.knowledge.sources.source import Listed
from ken.storage.sources import Source
from tests.knowledge.homes import BAKERY, FERRY, found, opened
from tests.knowledge.object_store import KEY, NAMESPACE, etag, store, xml
from tests.knowledge.site import Listing, listing
from tests.knowledge.web_server import QUICK, serving

EXAMPLE = AccessKey(key_id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOON = datetime(2013, 5, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "headers", "signature"),
    [
        ("/test.txt", {"range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/?lifecycle", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?prefix=J&max-keys=2", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_published_signatures_are_reproduced(address: str, headers: dict[str, str], signature: str) -> None:
    """The GET examples of the S3 API reference (Signature Version 4, Authorization header) come out to the digit."""
    url = URL(f"https://examplebucket.s3.amazonaws.com{address}", encoded=True)
    signed = signed_headers(url, EXAMPLE, when=NOON, headers=headers)
    assert signed["authorization"].endswith(f",Signature={signature}")
    assert "/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;" in signed["authorization"]
    assert signed["x-amz-date"] == "20130524T000000Z"


def test_the_published_signing_key_is_reproduced() -> None:
    """The derivation example of the AWS general reference comes out to the digit."""
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    key = signing_key(secret, "20120215", region="us-east-1", service="iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_a_signature_is_made_in_utc_and_shows_no_secret() -> None:
    """The zone of the clock doesn't matter, and the key's secrets stand in no representation."""
    url = URL("https://examplebucket.s3.amazonaws.com/test.txt")
    key = replace(EXAMPLE, session_token="token-1")
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    assert signed_headers(url, key, when=there) == signed_headers(url, key, when=NOON)
    assert "wJalr" not in repr(key)
    assert "token-1" not in repr(key)


OBJECTS = {
    "handbook/people/leave.md": b"# Leave",
    "handbook/people/pay & more.md": b"# Pay",
    "handbook/caf\u00e9/+plus %41?.md": b"# Odd",
    "handbook/": b"",
    "handbook/old_$folder$": b"",
    "handbook/photo.heic": b"...",
    "handbook/b.pdf": b"%PDF-",
    "handbooks-archive/x.md": b"# X",
    "other/y.md": b"# Y",
    "z.txt": b"z",
}


async def test_a_bucket_is_listed_in_pages() -> None:
    """Each object once, with ETag and size; marks of folders are none, other formats foreign; every listing is whole."""
    async with store(OBJECTS) as running:
        found = await listing(running.source())
        assert len(running.server.asked) == 4
    readable = sorted(key for key in OBJECTS if key.endswith((".md", ".pdf", ".txt")))
    assert found.paths == readable
    assert found.listed["z.txt"] == Listed(path="z.txt", key="z.txt", stamp=etag(b"z").strip('"'), size=1)
    assert [(path, each.is_foreign) for path, each in found.unlisted.items()] == [("handbook/photo.heic", True)]
    assert found.is_whole


async def test_an_object_is_fetched_by_its_key() -> None:
    """Whatever characters the key has, the signature holds and the bytes are the object's."""
    async with store(OBJECTS) as running:
        source = running.source()
        found = await listing(source)
        for path, listed in found.listed.items():
            fetched = await source.fetch(listed)
            assert (fetched.data, fetched.url) == (OBJECTS[path], None)


async def test_a_prefix_is_a_folder() -> None:
    """Paths begin behind the prefix's last slash; keys without the prefix aren't there."""
    async with store(OBJECTS) as running:
        inside = await listing(running.source(prefix="handbook/people/"))
        partly = await listing(running.source(prefix="handb"))
    assert inside.paths == ["leave.md", "pay & more.md"]
    assert inside.listed["leave.md"].key == "handbook/people/leave.md"
    assert "handbooks-archive/x.md" in partly.paths
    assert not {"other/y.md", "z.txt"} & set(partly.paths)


async def test_a_stamp_changes_with_the_content() -> None:
    """The store's times are not looked at: its ETag is."""
    async with store({"a.md": b"one"}) as running:
        source = running.source()
        first = await listing(source)
        again = await listing(source)
        running.objects["a.md"] = b"two"
        last = await listing(source)
    stamps = [each.listed["a.md"].stamp for each in (first, again, last)]
    assert stamps[0] == stamps[1] != stamps[2]


async def test_a_public_bucket_is_read_without_a_key() -> None:
    """Nothing is signed, and the document has the address that everybody can open."""
    async with store({"a b.md": b"# A"}, key=None) as running:
        source = running.source(None)
        found = await listing(source)
        fetched = await source.fetch(found.listed["a b.md"])
        assert fetched.url == f"{running.server.url}/papers/a%20b.md"
    assert fetched.data == b"# A"


async def test_temporary_keys_are_signed_with_their_token() -> None:
    """The session token goes along, under the signature."""
    key = replace(KEY, session_token="token-1")
    async with store({"a.md": b"# A"}, key=key) as running:
        assert (await listing(running.source(key))).paths == ["a.md"]
        assert "x-amz-security-token" in running.server.asked[0].headers["authorization"]
        with pytest.raises(SourceDenied):
            await listing(running.source(replace(key, session_token="token-2")))


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (replace(KEY, secret="wrong"), SourceDenied, "SignatureDoesNotMatch"),
        (replace(KEY, key_id="AKIAOTHER"), SourceDenied, "InvalidAccessKeyId"),
        (None, SourceDenied, "InvalidAccessKeyId"),
        (replace(KEY, region="us-east-1"), SourceMisbehaves, "Set `region` to that of the bucket"),
    ],
)
async def test_a_key_that_is_wrong_is_said(key: AccessKey | None, error: type[KenError], words: str) -> None:
    """What the store says of the key is passed on, without the key's secret."""
    async with store({"a.md": b""}) as running:
        with pytest.raises(error, match=words) as caught:
            await listing(running.source(key))
    assert "sesame" not in str(caught.value)


async def test_a_bucket_that_is_not_there_is_said() -> None:
    """NoSuchBucket names the remedy, also where it vanishes before a document is fetched."""
    async with store({"a.md": b""}) as running:
        bucket = Bucket(endpoint=running.server.url, name="nothing")
        source = S3Connector(bucket, KEY, allowed_hosts=frozenset({running.server.host}), limits=QUICK)
        running.connectors.append(source)
        with pytest.raises(SourceMisbehaves, match=r"404 NoSuchBucket: .* Mend `bucket`"):
            await listing(source)
        with pytest.raises(SourceMisbehaves, match="NoSuchBucket"):
            await source.fetch(Listed(path="a.md", key="a.md"))


async def test_one_object_that_is_closed_is_its_own_failure() -> None:
    """A 403 for one object, or one that is gone since, doesn't stop the others."""
    async with store({"a.md": b"# A", "b.md": b"# B", "c.md": b"# C"}) as running:
        source = running.source()
        found = await listing(source)
        running.closed.add("a.md")
        del running.objects["b.md"]
        with pytest.raises(Unreadable, match=r"'a\.md': .*AccessDenied"):
            await source.fetch(found.listed["a.md"])
        with pytest.raises(Unreadable, match=r"'b\.md' can't be read since it was listed: .*NoSuchKey"):
            await source.fetch(found.listed["b.md"])
        assert (await source.fetch(found.listed["c.md"])).data == b"# C"


async def test_permission_that_is_lost_half_way_is_the_sources() -> None:
    """Between two pages, or between listing and fetching: then nothing counts as listed or gone."""
    async with store({f"{number}.md": b"" for number in range(8)}) as running:
        source = running.source()
        changes = source.changes(None)
        first = await anext(changes)
        assert isinstance(first, Listed)
        running.key = replace(KEY, secret="changed")
        with pytest.raises(SourceDenied):
            async for _ in changes:
                pass
        with pytest.raises(SourceDenied):
            await source.fetch(first)


async def test_an_object_over_the_limit_is_not_read() -> None:
    """It is that document's failure, before its bytes come."""
    async with store({"a.md": bytes(2_000)}) as running:
        source = running.source(limits=replace(QUICK, max_bytes=1_000))
        found = await listing(source)
        assert found.listed["a.md"].size == 2_000
        with pytest.raises(Unreadable, match=r"more than 0\.001 MB"):
            await source.fetch(found.listed["a.md"])


async def test_a_bucket_without_end_is_left_at_the_limit() -> None:
    """It says so, and deletes nothing."""
    async with store({f"{number}.md": b"" for number in range(9)}) as running:
        found = await listing(running.source(most=5))
    assert found.paths == [f"{number}.md" for number in range(5)]
    assert "goes on after 5 objects" in found.unlisted["5.md"].reason
    assert not found.is_whole


async def test_keys_that_are_no_paths_are_reported() -> None:
    """Empty parts, dots and control characters in keys are said, one by one, and the rest is listed."""
    odd = ["a//b.md", "/c.md", "d/../e.md", "./f.md", "g\nh.md"]
    async with store({**dict.fromkeys(odd, b""), "fine.md": b""}) as running:
        found = await listing(running.source())
    assert found.paths == ["fine.md"]
    assert sorted(found.unlisted) == sorted(["a/b.md", "c.md", "d/e.md", "f.md", "g\nh.md"])
    assert all("can't be a path" in each.reason and not each.is_foreign for each in found.unlisted.values())


def always(*bodies: str, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A store that answers with these, the last again and again."""
    left = list(bodies)

    async def answer(_: web.Request) -> web.Response:
        return xml(left.pop(0) if len(left) > 1 else left[0], status=status)

    return answer


async def listed_from(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> tuple[Listing, int]:
    """What a store with this handler lists, and after how many requests."""
    async with serving(handler) as server:
        bucket = Bucket(endpoint=server.url, name="papers")
        source = S3Connector(bucket, KEY, allowed_hosts=frozenset({server.host}), limits=QUICK)
        try:
            return await listing(source), len(server.asked)
        finally:
            await source.aclose()


def page_of(key: str, token: str) -> str:
    """A page of a list that goes on at `token`."""
    return (
        f'<ListBucketResult xmlns="{NAMESPACE}"><IsTruncated>true</IsTruncated><Contents><Key>{key}</Key></Contents>'
        f"<NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>"
    )


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ([page_of("a.md", "1"), page_of("b.md", "1")], "goes in circles"),
        ([page_of("a.md", "1"), page_of("a.md", "2")], "goes in circles"),
        (["<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"], "says that its list goes on"),
        (["<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>"], "without a key"),
        (["<Something/>"], "answered 'Something'"),
        (["<ListBucketResult><Contents>"], "is no XML"),
        ([""], "is no XML"),
        (["<html><body>Sign in</body>"], "web page"),
        (["<!DOCTYPE html><html><body>Sign in</body></html>"], "web page"),
        (['<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult>&a;</ListBucketResult>'], "document type"),
        (["<Error><Code>WeirdThing</Code><Message>Not today.</Message></Error>"], "WeirdThing: Not today"),
    ],
)
async def test_a_store_that_breaks_the_protocol_is_left(bodies: list[str], words: str) -> None:
    """Circles, lists without an end or a key, HTML, broken and hostile XML: nothing counts as listed to the end."""
    with pytest.raises(SourceMisbehaves, match=words):
        await listed_from(always(*bodies))


async def test_empty_pages_without_end_are_left() -> None:
    """A new token each time, and nothing on any page."""
    number = 0

    async def empty(_: web.Request) -> web.Response:
        nonlocal number
        number += 1
        return xml(page_of("a.md", str(number)).replace("<Contents><Key>a.md</Key></Contents>", ""))

    with pytest.raises(SourceMisbehaves, match="goes in circles"):
        await listed_from(empty)


async def test_a_store_without_etags_and_sizes_is_listed() -> None:
    """Then there is no stamp, and documents are compared by their content."""
    body = "<ListBucketResult><Contents><Key>a.md</Key><Size>many</Size></Contents></ListBucketResult>"
    found, _ = await listed_from(always(body))
    assert found.listed["a.md"] == Listed(path="a.md", key="a.md")


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_store_is_waited_for(status: int) -> None:
    """SlowDown is tried again, and in the end the source is down with the wait that was asked for."""
    slow = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    turns = 0

    async def busy(_: web.Request) -> web.Response:
        nonlocal turns
        turns += 1
        response = xml(
            slow if turns < 3 else page_of("a.md", "").replace("true", "false"), status=status if turns < 3 else 200
        )
        response.headers["retry-after"] = "0.001"
        return response

    found, asked = await listed_from(busy)
    assert (found.paths, asked) == (["a.md"], 3)
    with pytest.raises(SourceDown, match="SlowDown"):
        await listed_from(always(slow, status=status))
    with pytest.raises(SourceDown, match="SlowDown"):
        await listed_from(always(slow))


async def test_a_bucket_of_another_region_names_it() -> None:
    """A redirect without an address says where the bucket is."""

    async def elsewhere(_: web.Request) -> web.Response:
        body = "<Error><Code>PermanentRedirect</Code><Message>Use the endpoint.</Message></Error>"
        response = xml(body, status=301)
        response.headers["x-amz-bucket-region"] = "eu-west-3"
        return response

    with pytest.raises(SourceMisbehaves, match=r"Its region is 'eu-west-3'\. Set `region`"):
        await listed_from(elsewhere)


async def test_a_bucket_may_stand_before_the_host() -> None:
    """Without `path_style` it is the host with the bucket's name before it that is asked."""
    source = S3Connector(Bucket(endpoint="http://127.0.0.1:1", name="papers", path_style=False), KEY, limits=QUICK)
    with pytest.raises(SourceMisbehaves, match=r"'papers\.127\.0\.0\.1' is an address in an odd notation"):
        await listing(source)
    await source.aclose()


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("https://s3.example.org", ""),
        ("https://s3.example.org", "a/b"),
        ("https://s3.example.org", "a..b"),
        ("https://s3.example.org", "a?b"),
        ("https://s3.example.org/path", "papers"),
        ("https://user:word@s3.example.org", "papers"),
        ("s3://papers", "papers"),
        ("", "papers"),
    ],
)
def test_an_address_that_can_be_no_bucket_is_refused(endpoint: str, name: str) -> None:
    """Said at once, without a password that stood in it."""
    with pytest.raises(InvalidInput) as caught:
        S3Connector(Bucket(endpoint=endpoint, name=name), KEY)
    assert "user:word" not in str(caught.value)


async def test_what_is_known_of_a_bucket_without_asking() -> None:
    """Its place without keys, and that it has no groups."""
    source = S3Connector(Bucket(endpoint="https://s3.example.org:443/", name="papers", prefix="a/"), KEY)
    assert source.location == "s3://papers/a/ (s3.example.org)"
    assert await source.permissions(Listed(path="a.md")) is None
    assert source.concurrency > 1
    await source.aclose()


async def test_a_bucket_is_synced_and_asked(home: Path) -> None:
    """Through the library: objects answer questions, a second sync reads only what changed."""
    source = Source(id="bucket", kind="s3", location="", collection="papers", default_groups=frozenset({"everyone"}))
    async with store({"ferry.md": FERRY.encode(), "bakery.md": BAKERY.encode(), "x.bin": b""}) as running:
        async with opened(home) as ken:
            first = await ken.library.sync(source, running.source())
            running.objects["ferry.md"] = FERRY.replace("06:40", "07:15").encode()
            running.server.asked.clear()
            second = await ken.library.sync(source, running.source())
            assert (await found(ken, "When does the ferry leave?"))[0] == "ferry.md"
        assert [each.path for each in running.server.asked] == ["/papers", "/papers/ferry.md"]
    assert (first.added, len(first.skipped), first.failures) == (2, 1, [])
    assert (second.changed, second.unchanged) == (1, 1)
