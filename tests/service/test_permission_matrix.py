"""Principals x documents x every door: no byte of a reply tells of a document that its reader may not read.

Each document has words of its own in path, title, heading and text, which stand nowhere else; all of them answer the
same question, so that every door has a reason to show them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest

from ken.knowledge.permissions import Policy
from ken.knowledge.pushing import Said
from tests.knowledge.homes import fresh
from tests.knowledge.homes import sync as sync_files
from tests.knowledge.shelf import Shelf, sync_shelf
from tests.service import events
from tests.service.corpus import synced_home
from tests.service.serving import Served, serving

QUESTION = "Where is the spare key of the lighthouse kept?"
FOLLOW_UP = "And who may take it?"
GATE = "When does the tide gate close?"
BEYOND = "Which telescope did Galileo use to watch the lighthouse of Jupiter?"

GROUPS = {"nobody": [], "red": ["red"], "both": ["red", "blue"], "operator": ["operators"]}
OPEN, CLOSED = frozenset({"nobody", "red", "both", "operator"}), frozenset({"operator"})
RED, BLUE = frozenset({"red", "both", "operator"}), frozenset({"both", "operator"})


@dataclass(frozen=True)
class Paper:
    """A document: where it comes from, who may read it, and its words."""

    place: str
    code: str
    readers: frozenset[str]
    head: str = ""
    """Front matter besides the title."""
    says: str = "The spare key of the lighthouse is kept in the {} cupboard. The {} keeper may take it."

    @property
    def words(self) -> tuple[str, ...]:
        """Of its path, its title, its heading, and its text."""
        return tuple(part + self.code for part in ("pelo", "tavu", "hirm", "quso"))

    @property
    def id(self) -> str:
        """Collection and path."""
        return f"{self.place}{self.words[0]}.md"

    @property
    def collection(self) -> str:
        """Where it is."""
        return self.place.partition("/")[0]

    @property
    def name(self) -> str:
        """Its path in the collection."""
        return self.id.partition("/")[2]

    @property
    def text(self) -> str:
        """The file."""
        _, title, heading, word = self.words
        says = self.says.format(word, word)
        return f"---\ntitle: Key {title}\n{self.head}---\n# Key {title}\n\n## Of {heading}\n\n{says}\n"


_CLOSES = "The tide gate closes at {} for the {{}} crew. The {{}} crew keeps the gate key of the lighthouse."

PAPERS = {
    "open": Paper("vault/", "bab", OPEN),
    "front matter": Paper("vault/", "cec", RED, "groups: [red]\n"),
    "front matter of two": Paper("vault/", "did", RED, "groups: [red, blue]\n"),
    "path rule": Paper("vault/sealed/", "fof", BLUE),
    "rule and front matter disagree": Paper("vault/sealed/", "gug", CLOSED, "groups: [red]\n"),
    "operators": Paper("vault/", "hah", CLOSED, "groups: [operators]\n"),
    "replaced by a closed one": Paper("vault/", "jij", OPEN),
    "closed and replaces": Paper("vault/", "kik", RED, "groups: [red]\nsupersedes: pelojij.md\n"),
    "closed and replaced": Paper("vault/", "lul", RED, "groups: [red]\n"),
    "replaces a closed one": Paper("vault/", "mom", OPEN, "supersedes: pelolul.md\n"),
    "one side of a conflict": Paper("vault/", "nen", OPEN, says=_CLOSES.format("18:00")),
    "the closed side of it": Paper("vault/", "pap", BLUE, "groups: [blue]\n", says=_CLOSES.format("21:30")),
    "narrowed later": Paper("vault/", "rir", RED),
    "source says": Paper("shelf/", "sas", BLUE),
    "source says nobody": Paper("shelf/", "tot", CLOSED),
    "pushed with a group": Paper("notes/", "vuv", RED),
    "pushed to nobody": Paper("notes/", "wew", CLOSED),
    "the only one there": Paper("attic/", "zaz", RED),
}
SAID = {"shelf/pelosas.md": frozenset({"blue"}), "shelf/pelotot.md": frozenset[str]()}
PUSHED = {
    "notes/pelovuv.md": frozenset({"red"}),
    "notes/pelowew.md": frozenset[str](),
    "attic/pelozaz.md": frozenset({"red"}),
}
RULES = Policy(rules=(("sealed/*", frozenset({"blue"})),))
NARROWED = PAPERS["narrowed later"]


@dataclass
class World:
    """A served home with the papers, and what each principal did there before anything was narrowed."""

    served: Served
    clients: dict[str, httpx.Client]
    traces: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    conversations: dict[str, str] = field(default_factory=dict[str, str])
    shares: list[str] = field(default_factory=list[str])
    corpus_version: int = 0

    def stranger(self, name: str) -> str:
        """Somebody else, who may read more than `name` where anybody may."""
        return "both" if name == "operator" else "operator"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The home: filled, asked by everybody, and then narrowed under a snapshot that is held."""
    place = tmp_path_factory.mktemp("matrix")
    with serving(fresh(place / "home", synced_home()), cache=True, models=()) as served, ExitStack() as stack:
        ken = served.ken
        keys = {name: ken.keys.create(f"who is {name}", groups)[1] for name, groups in GROUPS.items()}
        world = World(served, {name: stack.enter_context(served.client(key)) for name, key in keys.items()})

        def sync_vault(papers: dict[str, str]) -> None:
            served.run(sync_files(ken, place / "vault", papers, collection="vault", policy=RULES))

        sync_vault({paper.name: paper.text for paper in PAPERS.values() if paper.collection == "vault"})
        of_shelf = {paper.name: paper for paper in PAPERS.values() if paper.collection == "shelf"}
        said = {paper.name: SAID[paper.id] for paper in of_shelf.values()}
        served.run(sync_shelf(ken, Shelf({name: paper.text for name, paper in of_shelf.items()}, groups=said)))
        for paper in PAPERS.values():
            if paper.id in PUSHED:
                served.run(ken.library.put(paper.id, paper.text.encode(), said=Said(groups=PUSHED[paper.id])))
        world.corpus_version = ken.library.corpus_version
        for name in GROUPS:
            _ask_first(world, world.clients[name], name)
        sync_vault({NARROWED.name: NARROWED.text + "\nIt is oiled in May.\n"})
        served.run(ken.library.use(world.corpus_version))
        sync_vault({NARROWED.name: NARROWED.text.replace("---\n#", "groups: [red]\n---\n#")})
        yield world


def _ask_first(world: World, client: httpx.Client, name: str) -> None:
    """Ask so that answers are cached, traced and part of a conversation while the later narrowed document is open."""
    answers = [events.ask(client, question)[-1][1] for question in (QUESTION, NARROWED.words[3], BEYOND, GATE)]
    world.traces[name] = [answer["trace_id"] for answer in answers]
    world.conversations[name] = answers[1]["conversation_id"]
    for answer in answers:
        body = {"conversation_id": answer["conversation_id"], "groups": ["everyone"]}
        share = client.post("/api/shares", json=body).json()["id"]
        if answer is not answers[1]:  # whose question is a word of the document: it is its owner's to tell
            world.shares.append(share)
    assert NARROWED.words[3] in json.dumps(answers[1])


@pytest.fixture(scope="module", params=["an older snapshot is held", "the newest is served"])
def world(everything: World, request: pytest.FixtureRequest) -> World:
    """The home while it serves one of its snapshots."""
    held = everything.corpus_version if "held" in request.param else None
    everything.served.run(everything.served.ken.library.use(held))
    return everything


Door = Callable[[httpx.Client, World, str], list[httpx.Response]]


def _asked(path: str, **body: object) -> Door:
    return lambda client, _, __: [client.post(path, json=body)]


def _chat(question: str, *, stream: bool) -> Door:
    return _asked("/v1/chat/completions", messages=[{"role": "user", "content": question}], stream=stream)


def _got(path: str, **query: str | int) -> Door:
    return lambda client, _, __: [client.get(path, params=query)]


def _searches(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """For what all say, and for every word of every document: a reply repeats only words that it has found."""
    _ = world, name
    queries = [QUESTION, *(" ".join(words) for words in zip(*(paper.words for paper in PAPERS.values()), strict=True))]
    return [client.get("/api/search", params={"q": query, "limit": 50}) for query in queries]


def _reads(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """Every document that may be read; the others are refused without a word (their name stands in the request)."""
    _ = world
    replies: list[httpx.Response] = []
    none = client.get("/api/documents/vault/none.md").json()["error"]["message"]
    for paper in PAPERS.values():
        reply = client.get(f"/api/documents/{paper.id}")
        assert reply.status_code == (200 if name in paper.readers else 404)
        if name in paper.readers:
            replies.append(reply)
        else:
            assert reply.json()["error"]["message"] == none.replace("vault/none.md", paper.id)
    return replies


def _pages(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """The list, two at a time."""
    _ = world, name
    replies = [client.get("/api/documents", params={"limit": 2})]
    while after := replies[-1].json()["next"]:
        replies.append(client.get("/api/documents", params={"limit": 2, "after": after}))
    return replies


def _qualities(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    _ = world
    replies = [client.get(f"/api/collections/{each}/quality") for each in ("vault", "shelf", "notes", "attic")]
    seen = [
        any(name in paper.readers for paper in PAPERS.values() if paper.collection == each)
        for each in ("vault", "shelf", "notes", "attic")
    ]
    assert [reply.status_code for reply in replies] == [200 if one else 404 for one in seen]
    return replies


def _follow_up(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    return [client.post("/api/ask", json={"question": FOLLOW_UP, "conversation_id": world.conversations[name]})]


def _strangers(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """What others have asked: as if it were not there, but for operators' traces."""
    replies: list[httpx.Response] = []
    conversation = world.conversations[world.stranger(name)]
    asked = {"question": FOLLOW_UP, "conversation_id": conversation}
    replies += [client.get(f"/api/conversations/{conversation}"), client.post("/api/ask", json=asked)]
    replies.append(client.patch(f"/api/conversations/{conversation}", json={"title": "Mine"}))
    replies.append(client.delete(f"/api/conversations/{conversation}"))
    if name != "operator":
        for trace in world.traces[world.stranger(name)]:
            replies.append(client.get(f"/api/traces/{trace}"))
            replies.append(client.post("/api/feedback", json={"trace_id": trace, "helpful": True}))
    assert {reply.status_code for reply in replies} == {404}
    return replies


def _own(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """What one asked oneself when more was open. One's own question is not Ken's to hide: the word asked for is left out."""
    paths = [f"/api/traces/{each}" for each in (world.traces[name][0], *world.traces[name][2:])]
    paths += [
        "/api/traces?outcome=abstained",
        f"/api/traces/{world.traces[name][1]}",
        f"/api/conversations/{world.conversations[name]}",
    ]
    return [_without_question(client.get(path)) for path in paths]


def _shared(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """What everybody has let everybody read, while more was open to some of them."""
    _ = name
    replies = [client.get(f"/api/shares/{share}") for share in world.shares]
    assert {reply.status_code for reply in replies} == {200}
    return replies


def _found_again(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    """A search in one's own conversations, for the word of a document that was narrowed: its answer isn't found by it."""
    _ = world, name
    queries = ("cupboard", "closes", "nearest", NARROWED.words[2])
    return [_without_question(client.get("/api/conversations", params={"q": each, "limit": 500})) for each in queries]


def _without_question(reply: httpx.Response) -> httpx.Response:
    """The reply with what the principal itself had written taken out."""
    reply.raise_for_status()
    value = reply.json()
    for turn in value.get("turns", ()):
        if turn["role"] == "user":
            turn["content"] = ""
    for each in (value, *value.get("traces", ()), *value.get("conversations", ())):
        for key in ("title", "question"):
            each.pop(key, None)
    return httpx.Response(200, json=value)


def _operations(client: httpx.Client, world: World, name: str) -> list[httpx.Response]:
    paths = ["/api/sources", "/api/syncs", "/api/index", f"/api/index/difference?old=1&new={world.corpus_version}"]
    paths += ["/api/sources/shelf/documents", "/api/gateway/cache", "/api/gateway/cache/entries"]
    replies = [client.get(path) for path in paths]
    replies += (
        [
            client.post("/api/syncs", json={"source": "shelf"}),
            client.put("/api/documents/notes/x.md", content=b"# X\n\nX.\n"),
        ]
        if name != "operator"
        else []
    )
    if name != "operator":
        assert {reply.status_code for reply in replies} == {403}
    return replies


DOORS: dict[str, Door] = {
    "ask": _asked("/api/ask", question=QUESTION),
    "ask for one object": lambda client, _, __: [client.post("/api/ask?stream=false", json={"question": QUESTION})],
    "ask in words of its own": _asked("/api/ask", question="Tell me where one finds the lighthouse's spare key"),
    "ask about what is in conflict": _asked("/api/ask", question=GATE),
    "ask what nobody knows": _asked("/api/ask", question=BEYOND),
    "ask in a collection": _asked("/api/ask", question=QUESTION, collections=["attic"]),
    "ask in an unknown collection": _asked("/api/ask", question=QUESTION, collections=["nowhere"]),
    "chat": _chat(QUESTION, stream=False),
    "chat in pieces": _chat(QUESTION, stream=True),
    "chat about what is in conflict": _chat(GATE, stream=False),
    "chat beyond": _chat(BEYOND, stream=False),
    "search": _searches,
    "search a collection": _got("/api/search", q=QUESTION, collection="attic"),
    "documents": _got("/api/documents", limit=500),
    "documents of a collection": _got("/api/documents", collection="notes"),
    "documents in pages": _pages,
    "one document": _reads,
    "the page of a document": _got(f"/documents/{PAPERS['operators'].id}"),
    "collections": _got("/api/collections"),
    "quality": _qualities,
    "a follow-up": _follow_up,
    "what others asked": _strangers,
    "what one asked before": _own,
    "what others shared": _shared,
    "a search in what one asked before": _found_again,
    "operations": _operations,
    "other pages": lambda client, _, __: [client.get(path) for path in ("/", "/readyz", "/v1/models", "/openapi.json")],
}
MUTE = {"the page of a document", "what others asked", "other pages", "ask in an unknown collection", "collections"}
"""Doors behind which no principal ever sees a document."""


@pytest.mark.parametrize("name", list(GROUPS))
@pytest.mark.parametrize("door", list(DOORS))
def test_no_door_tells_of_a_closed_document(world: World, door: str, name: str) -> None:
    """Not a word of its path, title, headings or text; an operator does see closed documents behind the same door."""
    told = b"\n".join(reply.read() for reply in DOORS[door](world.clients[name], world, name)).lower().decode()
    closed = [paper for paper in PAPERS.values() if name not in paper.readers]
    assert [word for paper in closed for word in paper.words if word in told] == []
    if name == "operator" and door not in MUTE:
        assert any(word in told for paper in PAPERS.values() if paper.readers != OPEN for word in paper.words)


@pytest.mark.parametrize("name", list(GROUPS))
def test_nothing_counts_a_closed_document(world: World, name: str) -> None:
    """Lists, collections, quality reports and the number of candidates count what may be read, and nothing else."""
    readable = sorted(paper.id for paper in PAPERS.values() if name in paper.readers)
    client = world.clients[name]
    listed = client.get("/api/documents", params={"limit": 500}).json()["documents"]
    assert sorted(each["id"] for each in listed if each["collection"] != "harbour") == readable
    counts = {each["name"]: each["documents"] for each in client.get("/api/collections").json()}
    expected = {each.partition("/")[0]: 0 for each in readable}
    for each in readable:
        expected[each.partition("/")[0]] += 1
    assert {key: count for key, count in counts.items() if key != "harbour"} == expected
    for collection, count in expected.items():
        report = client.get(f"/api/collections/{collection}/quality").json()
        assert report["documents"] == sum(each["count"] for each in report["languages"]) == count
    query = {"q": QUESTION, "limit": 50, "collection": ["vault", "shelf", "notes", "attic"]}
    found = client.get("/api/search", params=query).json()
    assert found["candidates"] == len(found["evidence"]) == len(readable)


def test_a_cached_answer_is_given_to_who_may_read_the_same(world: World) -> None:
    """And to nobody else: whether somebody asked is seen by the same groups alone."""
    question = f"Where do I find the spare key of the lighthouse in week {world.served.ken.library.corpus_version}?"
    cached: dict[str, list[bool]] = {}
    for name in ("operator", "both", "red", "nobody"):
        cached[name] = [events.ask(world.clients[name], question)[-1][1]["cached"] for _ in range(2)]
    assert list(cached.values()) == [[False, True]] * 4


def test_a_closed_successor_changes_nothing_for_who_may_not_read_it(world: World) -> None:
    """Its predecessor is found as a document that nothing replaced; who may read the successor finds it further down."""
    shares: dict[str, float] = {}
    for name in ("nobody", "operator"):
        found = world.clients[name].get("/api/search", params={"q": QUESTION, "limit": 50}).json()["evidence"]
        scores = {each["document"]["path"]: each["relevance"] for each in found}
        shares[name] = scores["pelojij.md"] / scores["pelobab.md"]
    assert shares["nobody"] > 1
    assert shares["operator"] < 0.8 * shares["nobody"]
