"""The client of sources against real servers on loopback: its patience, its limits, and where it doesn't go."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email.utils import formatdate
from itertools import count

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.addresses import GuardedResolver, HostRules, is_public
from ken.knowledge.sources.client import Client
from ken.knowledge.sources.waiting import asked_wait
from tests.knowledge.web_server import QUICK, Server, serving

SECRETS = {"Authorization": "Bearer key-1", "Cookie": "session=key-2", "X-Api-Key": "key-3", "Private-Token": "key-4"}


def answering(*answers: tuple[int, dict[str, str], bytes]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that gives these answers in turn, the last one again and again."""
    left = list(answers)

    async def answer(_: web.Request) -> web.Response:
        status, headers, body = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=status, headers=headers, body=body)

    return answer


async def echo(request: web.Request) -> web.StreamResponse:
    """The request as the server saw it, or a redirect to `to`."""
    if "to" in request.query:
        return web.Response(status=int(request.query.get("status", "302")), headers={"location": request.query["to"]})
    return web.json_response(
        {"method": request.method, "headers": dict(request.headers), "body": (await request.read()).decode()}
    )


@pytest.fixture
async def stranger() -> AsyncIterator[Client]:
    """A client that may ask public hosts alone."""
    client = Client(limits=QUICK)
    yield client
    await client.aclose()


@pytest.fixture
async def neighbour() -> AsyncIterator[Client]:
    """A client that may ask every port of 127.0.0.1, with keys of all kinds."""
    client = Client(allowed_hosts=frozenset({"127.0.0.1"}), headers=SECRETS, limits=QUICK)
    yield client
    await client.aclose()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(echo) as running:
        yield running


async def test_a_document_comes_with_its_headers(server: Server) -> None:
    """A reply holds status, final address, lower-case headers and the body."""
    client = server.client(headers={"Authorization": "Bearer key-1"})
    reply = await client.get(f"{server.url}/a%2Fb", params={"q": "x y&z/ü"}, headers={"Accept": "text/html"})
    assert (reply.status, reply.url) == (200, f"{server.url}/a%2Fb?q=x+y%26z%2F%C3%BC")
    assert reply.headers["content-type"].startswith("application/json")
    assert server.asked[0].query["q"] == "x y&z/ü"
    assert server.asked[0].headers["authorization"] == "Bearer key-1"
    assert server.asked[0].headers["accept"] == "text/html"


async def test_an_address_in_its_final_spelling_is_sent_unchanged(server: Server) -> None:
    """What a signature covers is not respelled on its way."""
    client = server.client()
    await client.get(f"{server.url}/a%2Bb+c/%7Ed?x=%2F&y=+&z")
    assert server.asked[0].raw_path == "/a%2Bb+c/%7Ed?x=%2F&y=+&z"


async def test_a_json_question_is_posted(server: Server) -> None:
    """`post` sends JSON in UTF-8 and says so."""
    client = server.client()
    reply = (await client.post(f"{server.url}/search", json={"query": "ü"})).json()
    assert isinstance(reply, dict)
    assert (reply["method"], reply["body"]) == ("POST", '{"query":"ü"}')
    assert reply["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("trouble", [(429, {"retry-after": "0"}, b""), (503, {}, b"<h1>busy</h1>"), (500, {}, b"")])
async def test_a_busy_server_is_asked_again(trouble: tuple[int, dict[str, str], bytes]) -> None:
    """Two answers 429 or 5xx, then the document: the caller sees the document."""
    async with serving(answering(trouble, trouble, (200, {}, b"here"))) as server:
        client = server.client()
        assert (await client.get(server.url)).body == b"here"
        assert len(server.asked) == 3


async def test_a_storm_of_429_ends_with_the_wait_that_was_asked_for() -> None:
    """After `attempts` the source counts as down, and the error says when to come back."""
    async with serving(answering((429, {"retry-after": "0.01"}, b"slow down"))) as server:
        client = server.client()
        began = time.monotonic()
        with pytest.raises(SourceDown, match=r"answered 429 \(slow down\)") as caught:
            await client.get(server.url)
        assert caught.value.retry_after_s == 0.01
        assert len(server.asked) == QUICK.attempts
        assert time.monotonic() - began >= 0.02  # twice the wait that was asked for


@pytest.mark.parametrize("seconds", [3600, 10**30])
async def test_a_long_wait_is_left_to_the_next_sync(seconds: int) -> None:
    """A server that asks for more than `longest_wait_s` is asked once, and no wait beyond a day is believed."""
    async with serving(answering((503, {"retry-after": str(seconds)}, b""))) as server:
        client = server.client()
        with pytest.raises(SourceDown, match="come back in") as caught:
            await client.get(server.url)
        assert caught.value.retry_after_s == min(seconds, 86_400)
        assert len(server.asked) == 1


async def test_retry_after_may_be_a_date() -> None:
    """A date counts from the server's own clock, however wrong ours is."""
    then = 1_000_000_000.0
    headers = {"date": formatdate(then, usegmt=True), "retry-after": formatdate(then + 120, usegmt=True)}
    async with serving(answering((429, headers, b""))) as server:
        client = server.client()
        with pytest.raises(SourceDown) as caught:
            await client.get(server.url)
    assert caught.value.retry_after_s == 120


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT", "date": "Thu, 01 Jan 1970 00:00:00 GMT"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
        ({"x-ratelimit-reset": "60"}, None),
        (
            {
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "60",
                "date": "Thu, 01 Jan 1970 00:00:00 GMT",
            },
            60.0,
        ),
    ],
)
def test_waits_are_read_as_written(headers: dict[str, str], wait: float | None) -> None:
    """Seconds, dates and GitHub's reset time are read; what is past is 0, what can't be read is no wait."""
    assert asked_wait(headers) == wait


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_not_repeated(status: int) -> None:
    """401 and 403 are SourceDenied at once, with the server's words and without the key that it repeats."""
    async with serving(answering((status, {}, b"<p>token  sesame-123 is not\nvalid</p>"))) as server:
        client = server.client(headers={"Authorization": "Bearer sesame-123"})
        with pytest.raises(SourceDenied) as caught:
            await client.get(f"{server.url}/x?key=sesame-123")
    assert f"/x' answered {status} (token *** is not valid)" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("headers", [{"x-ratelimit-remaining": "0"}, {"retry-after": "0.001"}])
async def test_a_403_can_be_a_rate_limit(headers: dict[str, str]) -> None:
    """A 403 that says nothing is left, or when to come back, is waited for like a 429."""
    async with serving(answering((403, headers, b""), (200, {}, b"here"))) as server:
        client = server.client()
        assert (await client.get(server.url)).body == b"here"


@pytest.mark.parametrize("status", [204, 304, 400, 404, 410, 418])
async def test_other_statuses_are_returned(status: int) -> None:
    """What is neither trouble nor refusal is the caller's to understand."""
    async with serving(answering((status, {}, b""))) as server:
        client = server.client()
        assert (await client.get(server.url)).status == status


async def test_a_server_that_is_gone_is_down(neighbour: Client) -> None:
    """A refused connection is tried again, then reported without a stack of technical words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceDown, match=r"can't be reached: .*Is it up"):
        await neighbour.get(f"http://127.0.0.1:{port}/")


async def test_a_server_that_stalls_is_down() -> None:
    """Silence before the answer or in the middle of it ends after `timeout_s`."""

    async def stall(request: web.Request) -> web.StreamResponse:
        if request.path == "/middle":
            response = web.StreamResponse()
            response.content_length = 100
            await response.prepare(request)
            await response.write(b"some")
        await asyncio.sleep(5)
        return web.Response()

    async with serving(stall) as server:
        client = server.client(replace(QUICK, timeout_s=0.05, attempts=1))
        for path in ("/before", "/middle"):
            with pytest.raises(SourceDown, match=r"did not answer in time \(0.05 s\)"):
                await client.get(server.url + path)


async def test_a_server_that_drips_is_given_up() -> None:
    """Bytes that come one by one for ever don't hold the sync: a whole answer has an end, too."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b".")
            await asyncio.sleep(0.01)
        return response

    async with serving(drip) as server:
        client = server.client(replace(QUICK, timeout_s=0.02, attempts=1))
        with pytest.raises(SourceDown, match="in time"):
            await client.get(server.url)


@pytest.mark.parametrize("body", [b"half", gzip.compress(b"all of it")[:-9]], ids=["text", "gzip"])
async def test_a_body_that_is_cut_short_is_no_body(body: bytes) -> None:
    """A lost connection, or a compressed body without its end, is tried again."""
    turns = count()

    async def cut(request: web.Request) -> web.StreamResponse:
        if next(turns):
            return web.Response(body=b"whole")
        headers = {"content-encoding": "gzip"} if body != b"half" else {"content-length": "10"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(body)
        if body == b"half" and request.transport is not None:
            request.transport.close()
        return response

    async with serving(cut) as server:
        client = server.client()
        assert (await client.get(server.url)).body == b"whole"


@pytest.mark.parametrize("stated", [True, False])
async def test_a_body_over_the_limit_is_not_read(stated: bool) -> None:  # noqa: FBT001 - a case
    """With Content-Length not at all, without it up to the limit; only this document is lost."""
    sent = 0

    async def long(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"content-length": "100000000"} if stated else None)
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x" * 100_000)
            sent += 100_000
        return response

    async with serving(long) as server:
        client = server.client(replace(QUICK, max_bytes=1_000_000, timeout_s=5))
        with pytest.raises(Unreadable, match="more than 1 MB"):
            await client.get(server.url)
    assert sent < 50_000_000


async def test_a_compressed_bomb_does_not_go_off() -> None:
    """A small body that opens to a hundred megabytes is dropped at the limit, whichever way it is wrapped."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    assert len(bomb) < 150_000
    many = gzip.compress(bytes(900_000)) * 2
    for body in (bomb, many):
        async with serving(answering((200, {"content-encoding": "gzip"}, body))) as server:
            client = server.client(replace(QUICK, max_bytes=1_000_000))
            with pytest.raises(Unreadable, match="more than 1 MB"):
                await client.get(server.url)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"text " * 50)),
        ("gzip", gzip.compress(b"text " * 20) + gzip.compress(b"text " * 30) + bytes(8)),
        ("deflate", zlib.compress(b"text " * 50)),
        ("deflate", zlib.compress(b"text " * 50, wbits=-15)),
        ("identity", b"text " * 50),
    ],
    ids=["gzip", "gzip of two members", "deflate", "deflate without a header", "identity"],
)
async def test_compressed_bodies_are_opened(encoding: str, body: bytes) -> None:
    """Gzip, gzip in several members with padding, deflate with and without its envelope."""
    async with serving(answering((200, {"content-encoding": encoding}, body))) as server:
        client = server.client()
        assert (await client.get(server.url)).body == b"text " * 50


async def test_an_encoding_that_was_not_asked_for_is_reported() -> None:
    """Brotli was not offered, so who sends it breaks the protocol."""
    async with serving(answering((200, {"content-encoding": "br"}, b"x"))) as server:
        client = server.client()
        with pytest.raises(SourceMisbehaves, match="'br'"):
            await client.get(server.url)


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"content-type": "text/html"}, b"<html>Sign in</html>", "web page where JSON was due"),
        ({"content-type": "application/json"}, b"\n <!doctype html>", "web page where JSON was due"),
        ({"content-type": "application/json"}, b'{"a": ', "broken JSON"),
        ({"content-type": "application/json"}, b"", "broken JSON"),
        ({"content-type": "application/json"}, b"\xff\xfe\xfd", "broken JSON"),
        ({"content-type": "application/json"}, b"[" * 200_000, "broken JSON"),
    ],
)
async def test_what_is_no_json_is_reported(headers: dict[str, str], body: bytes, words: str) -> None:
    """A sign-in page, half an object, no text, and nesting without end are SourceMisbehaves."""
    async with serving(answering((200, headers, body))) as server:
        client = server.client()
        reply = await client.get(server.url)
        with pytest.raises(SourceMisbehaves, match=words):
            reply.json()


async def test_requests_keep_their_pace(server: Server) -> None:
    """`requests_per_s` holds over all requests, also when they are made at once."""
    client = server.client(replace(QUICK, requests_per_s=50))
    began = time.monotonic()
    await asyncio.gather(*(client.get(f"{server.url}/{number}") for number in range(6)))
    assert time.monotonic() - began >= 5 / 50


async def test_a_redirect_is_followed(server: Server) -> None:
    """Relative addresses, queries and all; the reply says where it ended."""
    client = server.client()
    reply = await client.get(f"{server.url}/old/page", params={"to": "../new?x=1#part"})
    assert reply.url == f"{server.url}/new?x=1"


async def test_a_redirected_post_keeps_its_body_only_where_it_must(server: Server) -> None:
    """After 302 and 303 the answer is fetched, after 307 and 308 the question is posted again."""
    client = server.client()
    methods = {}
    for status in (302, 303, 307, 308):
        reply = (await client.post(f"{server.url}/a?status={status}&to=/b", json=[1])).json()
        assert isinstance(reply, dict)
        methods[status] = reply["method"], reply["body"]
    assert methods == {302: ("GET", ""), 303: ("GET", ""), 307: ("POST", "[1]"), 308: ("POST", "[1]")}


@pytest.mark.parametrize("step", [0, 1])
async def test_redirects_without_end_are_given_up(step: int) -> None:
    """A page that leads to itself, and a chain that goes on and on, are SourceMisbehaves after a few requests."""

    async def onward(request: web.Request) -> web.StreamResponse:
        return web.Response(status=301, headers={"location": f"/{int(request.path[1:]) + step}"})

    async with serving(onward) as server:
        with pytest.raises(SourceMisbehaves, match="redirects without end"):
            await server.client().get(f"{server.url}/0")
        assert len(server.asked) == (1 if step == 0 else 11)


async def test_secrets_stay_with_their_origin(server: Server, neighbour: Client) -> None:
    """A redirect to another origin takes along what is no key, and keys don't come back with a further redirect."""
    async with serving(echo) as other:
        back = f"{server.url}/home"
        await neighbour.get(f"{server.url}/?to={other.url}/away%3Fto={back}", headers={"If-None-Match": '"1"'})
        assert [server.asked[0].headers[name] for name in SECRETS] == list(SECRETS.values())
        for request in (other.asked[0], server.asked[1]):
            assert "key-" not in str(request.headers)
            assert request.headers["if-none-match"] == '"1"'


async def test_a_post_is_not_sent_on_to_another_origin(server: Server, neighbour: Client) -> None:
    """What was posted stays where it was meant for."""
    async with serving(echo) as other:
        with pytest.raises(SourceMisbehaves, match="sends what was posted on"):
            await neighbour.post(f"{server.url}/?status=307&to={other.url}/", json="plans")
        assert other.asked == []


INWARD = (
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.8.9.10/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1.1/",
    "http://127。0。0。1/",
    "http://ⓛocalhost/",
)


@pytest.mark.parametrize("address", INWARD)
async def test_addresses_of_the_inside_are_refused(server: Server, address: str) -> None:
    """Written as an address, in any notation, or as a name that resolves to one: no request, nor after a redirect."""
    client = server.client()
    with pytest.raises(SourceMisbehaves):
        await client.get(address)
    with pytest.raises(SourceMisbehaves):
        await client.get(f"{server.url}/", params={"to": address})
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org/",
        "data:text/html,x",
        "//example.org/x",
        "/relative",
        "",
        "http://",
        "http:///x",
        "http://[::1",
        "http://example.org:99999/",
        "http://h%41/",
        "http://good.example\\@127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://user:word@127.0.0.1/",
    ],
)
async def test_what_is_no_web_address_is_refused(neighbour: Client, address: str) -> None:
    """Other schemes, no host, broken spelling, and names or passwords in the address; the password is not repeated."""
    with pytest.raises(SourceMisbehaves) as caught:
        await neighbour.get(address)
    assert "user:word" not in str(caught.value)


async def test_a_redirect_to_a_file_is_refused(server: Server) -> None:
    """A server can't send Ken to the files of its own machine."""
    client = server.client()
    with pytest.raises(SourceMisbehaves, match="not an http or https address"):
        await client.get(f"{server.url}/", params={"to": "file:///etc/passwd"})


async def test_a_redirect_from_an_allowed_host_leads_no_further_inside(server: Server) -> None:
    """To be allowed is a host's own: another port of the same machine stays closed."""
    async with serving(echo) as other:
        client = server.client()
        for address in (other.url, other.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(SourceMisbehaves, match="private or local network"):
                await client.get(f"{server.url}/", params={"to": address})
        assert other.asked == []


@pytest.mark.parametrize("allowed", ["localhost", "LocalHost", "localhost:{port}", "localhost."])
async def test_a_host_is_allowed_by_its_name(server: Server, allowed: str) -> None:
    """With or without its port, in any case: then it is asked wherever it lies."""
    port = server.host.partition(":")[2]
    client = Client(allowed_hosts=frozenset({allowed.format(port=port)}), limits=QUICK)
    server.clients.append(client)
    assert (await client.get(f"http://localhost:{port}/")).status == 200
    with pytest.raises(SourceMisbehaves):
        await client.get(f"http://127.0.0.1:{port}/")


def test_a_v6_host_is_allowed_in_any_spelling() -> None:
    """Brackets and zeros don't make another host, a port does."""
    rules = HostRules(frozenset({"0:0::1", "[fd00::1]:8080"}))
    assert rules.is_allowed("::1", 80)
    assert rules.is_allowed("fd00:0::1", 8080)
    assert not rules.is_allowed("fd00::1", 80)


@pytest.mark.parametrize("entry", ["", "http://x", "a/b", "x:y", "10.0.0.0/8", "u@h"])
def test_an_entry_that_is_no_host_is_refused(entry: str) -> None:
    """A mistake in `allowed_hosts` is said at once."""
    with pytest.raises(InvalidInput, match="allow_hosts"):
        Client(allowed_hosts=frozenset({entry}))


def test_a_key_with_a_line_break_is_refused_unseen() -> None:
    """A key that was pasted with its line break is named by its header, and not shown."""
    with pytest.raises(InvalidInput, match="'authorization'") as caught:
        Client(headers={"Authorization": "Bearer sesame\n"})
    assert "sesame" not in str(caught.value)


def test_public_addresses_are_public() -> None:
    """The rules refuse the inside and nothing else, also where an address carries another."""
    public = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "172.32.0.1", "100.63.0.1"]
    assert [address for address in public if not is_public(address)] == []


class Changing(AbstractResolver):
    """Resolves every name to these addresses, one list a call."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The next list."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.answers.pop(0)
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_a_name_is_judged_each_time_it_is_resolved() -> None:
    """A name that answers with a public address first and with this machine's next gets no further."""
    resolver = GuardedResolver(HostRules(frozenset()), Changing(["93.184.216.34"], ["127.0.0.1"]))
    assert [each["host"] for each in await resolver.resolve("rebind.example", 80)] == ["93.184.216.34"]
    with pytest.raises(SourceMisbehaves, match=r"'rebind\.example' \(127\.0\.0\.1\)"):
        await resolver.resolve("rebind.example", 80)


async def test_one_address_of_the_inside_spoils_a_name() -> None:
    """Who hides a private address among public ones is not given the choice of which is used."""
    resolver = GuardedResolver(HostRules(frozenset()), Changing(["93.184.216.34", "::1"]))
    with pytest.raises(SourceMisbehaves):
        await resolver.resolve("mixed.example", 80)


async def test_a_name_that_can_be_none_is_down_not_a_crash(stranger: Client) -> None:
    """Empty and endless labels are reported like any other name without an address."""
    for host in ("a..localhost", "x" * 64 + ".localhost"):
        with pytest.raises(SourceDown, match="no name of a host"):
            await stranger.get(f"http://{host}/")
