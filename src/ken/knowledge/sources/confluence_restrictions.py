"""Who may read a page of Confluence, by the restrictions on that page alone (those above it count too: confluence.py).

A restriction names users and groups, in pages of at most 200 each
(https://developer.atlassian.com/cloud/confluence/rest/v1/api-group-content-restrictions/). What can't be read, or names
nobody whom we can name, is open to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from ken.domain.principal import EVERYONE, OPERATORS
from ken.errors import SourceDenied, SourceMisbehaves
from ken.knowledge.sources.rest import RestServer
from ken.knowledge.sources.shapes import Fields, at, fields, listed, number, text

NOBODY: frozenset[str] = frozenset()
_AT_ONCE = 50
"""Pages asked about in one request."""
_SUBJECTS = 200
_MOST_REQUESTS = 500
_KINDS = ("user", "group")
_USER = "user:"
_GROUP = "group:"


@dataclass(slots=True)
class _Subjects:
    """The users and groups of one restriction, as far as they were read."""

    names: set[str] = field(default_factory=set[str])
    groups: dict[str, str] = field(default_factory=dict[str, str])
    """Where their members are listed, by name."""
    is_restricted: bool = False
    is_readable: bool = True
    more_from: int | None = None
    """Where to go on reading; None at the end."""

    def take(self, restrictions: Fields, *, start: int = 0) -> None:
        """Add a page of them."""
        full: list[int] = []
        for kind in _KINDS:
            page = fields(restrictions, kind)
            self.is_readable = self.is_readable and isinstance(page.get("results"), list)
            found = listed(page, "results")
            self.groups |= {_name(group, kind): _members_place(group) for group in found if kind == "group"}
            self.is_restricted = self.is_restricted or bool(found) or (number(page, "size") or 0) > 0
            self.names.update(filter(None, (_name(subject, kind) for subject in found)))
            if found and (len(found) >= (number(page, "limit") or _SUBJECTS) or text(page, "_links", "next")):
                full.append(len(found))
        self.more_from = start + min(full) if full else None

    @property
    def readers(self) -> frozenset[str] | None:
        """Those who may read; None for everybody who may read the space."""
        if not self.is_readable:
            return NOBODY
        return frozenset(self.names) if self.is_restricted else None


def _name(subject: Fields, kind: str) -> str:
    """How Ken calls a user or group; a group whose name means something else here, by a name of its own."""
    if kind == "group":
        name = text(subject, "name")
        return f"{_GROUP}{name}" if name in {EVERYONE, OPERATORS} or name.startswith((_USER, _GROUP)) else name
    account = text(subject, "accountId") or text(subject, "username") or text(subject, "userKey")
    return f"{_USER}{account}" if account else ""


def _members_place(group: Fields) -> str:
    """Cloud asks for groups by id, Data Center by name."""
    if group_id := text(group, "id"):
        return f"/rest/api/group/{quote(group_id, safe='')}/membersByGroupId"
    return f"/rest/api/group/{quote(text(group, 'name'), safe='')}/member"


class Restrictions:
    """The read restrictions of a site's pages, remembered until `forget`."""

    def __init__(self, server: RestServer) -> None:
        self._server = server
        self._known: dict[str, frozenset[str] | None] = {}
        self._groups: dict[str, str] = {}
        """Where the members of a group are listed, by its name here."""
        self._members: dict[str, frozenset[str]] = {}

    def forget(self) -> None:
        """Before a new listing: restrictions and groups change without a new version of the page."""
        self._known.clear()
        self._groups.clear()
        self._members.clear()

    async def look_up(self, ids: Sequence[str]) -> None:
        """Learn of many pages in few requests, through the search for content. What it doesn't answer is asked singly later."""
        for start in range(0, len(ids), _AT_ONCE):
            asked = ids[start : start + _AT_ONCE]
            expanded = ",".join(f"restrictions.read.restrictions.{kind}" for kind in _KINDS)
            wanted = {"cql": f"id in ({','.join(asked)})", "expand": expanded, "limit": str(_AT_ONCE)}
            try:
                answer = await self._server.get("/rest/api/content/search", params=wanted)
            except (SourceDenied, SourceMisbehaves):
                return
            for content in listed(answer, "results"):
                subjects = _Subjects()
                subjects.take(fields(content, "restrictions", "read", "restrictions"))
                if text(content, "id") in asked and subjects.is_readable and subjects.more_from is None:
                    self._known[text(content, "id")] = subjects.readers
                    self._groups |= subjects.groups

    async def readers(self, content_id: str) -> frozenset[str] | None:
        """Those who may read, by the restrictions of this content alone; None where it has none."""
        if content_id not in self._known:
            try:
                self._known[content_id] = await self._asked(content_id)
            except SourceDenied:
                # Either our key has lost its rights, and then this raises too, or just this restriction is not for us to see.
                await self.refuse_strangers()
                self._known[content_id] = NOBODY
        return self._known[content_id]

    async def both(self, above: frozenset[str], below: frozenset[str]) -> frozenset[str]:
        """Those whom two restrictions name: by one name, or a user by his own in the one and by a group in the other.

        Where that is nobody, the users whom groups of both hold. A group whose members can't be read holds nobody.
        """
        named = set(above & below)
        for one, other in ((above, below), (below, above)):
            users = {name for name in one - other if name.startswith(_USER)}
            named |= users & await self._held(other) if users else NOBODY
        return frozenset(named) or await self._held(above) & await self._held(below)

    async def _held(self, names: frozenset[str]) -> frozenset[str]:
        """The users in those of `names` that are groups."""
        return NOBODY.union(*[await self._members_of(name) for name in sorted(names & self._groups.keys())])

    async def _members_of(self, group: str) -> frozenset[str]:
        if group not in self._members:
            try:
                self._members[group] = await self._asked_members(self._groups[group])
            except SourceDenied:
                await self.refuse_strangers()
                self._members[group] = NOBODY
        return self._members[group]

    async def _asked_members(self, place: str) -> frozenset[str]:
        members, start = set[str](), 0
        for _ in range(_MOST_REQUESTS):
            answer = await self._server.get(place, params={"start": str(start), "limit": str(_SUBJECTS)})
            found, before = listed(answer, "results"), len(members)
            members.update(filter(None, (_name(subject, "user") for subject in found)))
            if len(members) == before or len(found) < (number(answer, "limit") or _SUBJECTS):
                break
            start += len(found)
        return frozenset(members)

    async def refuse_strangers(self) -> None:
        """Raise SourceDenied where the server doesn't know us: it shows strangers less, and doesn't say so."""
        answer = await self._server.get("/rest/api/user/current")
        if at(answer, "type") != "known":
            raise SourceDenied(
                f"{self._server.location!r} takes us for an anonymous visitor: the token is missing, wrong or expired. "
                "Nothing was deleted. Make a new token."
            )

    async def _asked(self, content_id: str) -> frozenset[str] | None:
        place = f"/rest/api/content/{content_id}/restriction/byOperation/read"
        expanded = ",".join(f"restrictions.{kind}" for kind in _KINDS)
        subjects, start = _Subjects(), 0
        for _ in range(_MOST_REQUESTS):
            params = {"expand": expanded, "start": str(start), "limit": str(_SUBJECTS)}
            answer, before = await self._server.get(place, params=params), len(subjects.names)
            subjects.take(fields(answer, "restrictions"), start=start)
            if not subjects.is_readable or subjects.more_from is None or len(subjects.names) == before:
                break
            start = subjects.more_from
        self._groups |= subjects.groups
        return subjects.readers
