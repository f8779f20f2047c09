"""The JSON interface of one server: every address that it names is asked only where it is that server's own."""

from __future__ import annotations

from collections.abc import Mapping

from yarl import URL

from ken.errors import SourceMisbehaves, Unreadable
from ken.knowledge.sources.addresses import origin, parsed, shown
from ken.knowledge.sources.client import Client, Reply
from ken.knowledge.sources.shapes import text

_OK = 200
_NOT_MODIFIED = 304
_NOT_THERE = frozenset({404, 410})
_SHOWN_CHARS = 200


class RestServer:
    """A server below `base_url`, asked through `client`, whose headers hold our key.

    Beside what a Client raises: SourceMisbehaves for every status that is neither success nor "not there", and for an
    address of another server, which must not see the key. Raises SourceMisbehaves where `base_url` is no web address.
    """

    def __init__(self, base_url: str, *, client: Client) -> None:
        self._base = parsed(base_url.rstrip("/"))
        self._client = client

    @property
    def location(self) -> str:
        """The address, without secrets."""
        return shown(self._base)

    def address(self, place: str) -> str:
        """The whole address of a place: a path below the base or from the server's root, or a whole address.

        Raises SourceMisbehaves where it is another server's.
        """
        root, below = str(self._base.origin()), self._base.raw_path.rstrip("/")
        if place.startswith("/"):
            return f"{root}{place}" if below and place.startswith(f"{below}/") else f"{root}{below}{place}"
        if origin(parsed(place)) != origin(self._base):
            raise SourceMisbehaves(
                f"{self.location!r} names {shown(URL(place))!r} as a part of its own answer. That is another server, so it is "
                "not asked: the key is not meant for it."
            )
        return place

    async def reply(
        self, place: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply | None:
        """The successful answer (304 among them), or None where there is nothing at that place."""
        return self._checked(await self._client.get(self.address(place), params=params, headers=headers))

    async def get(self, place: str, *, params: Mapping[str, str] | None = None) -> object:
        """The JSON at a place, or None where there is nothing."""
        reply = await self.reply(place, params=params)
        return None if reply is None else reply.json()

    async def post_reply(self, place: str, *, json: object) -> Reply | None:
        """One page of a listing that is asked for with a body, None where there is nothing at that place.

        Raises SourceMisbehaves where it is too long.
        """
        try:
            return self._checked(await self._client.post(self.address(place), json=json))
        except Unreadable as error:
            raise SourceMisbehaves(f"A page of a listing is too long. {error}") from error

    async def page(self, place: str, *, params: Mapping[str, str] | None = None) -> object:
        """One page of a listing. Raises SourceMisbehaves where there is none, or it is too long."""
        return (await self.page_reply(place, params=params)).json()

    async def page_reply(
        self, place: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """As `page`, with its headers."""
        try:
            reply = await self.reply(place, params=params, headers=headers)
        except Unreadable as error:
            raise SourceMisbehaves(f"A page of a listing is too long. {error}") from error
        return self.there(reply, place)

    def there(self, reply: Reply | None, place: str) -> Reply:
        """An answer that has to be. Raises SourceMisbehaves where there is none."""
        if reply is None:
            raise SourceMisbehaves(
                f"{shown(parsed(self.address(place)))!r} is not there. Look at the address, and at whether the key may read it."
            )
        return reply

    def _checked(self, reply: Reply) -> Reply | None:
        if reply.status in {_OK, _NOT_MODIFIED}:
            return reply
        if reply.status in _NOT_THERE:
            return None
        said = text(reply.json(), "message")[:_SHOWN_CHARS]
        raise SourceMisbehaves(
            f"{shown(parsed(reply.url))!r} answered {reply.status}{f' ({said})' if said else ''}. Look at the source's settings."
        )
