"""A bucket of an S3-compatible store as a source: its objects in formats that Ken reads, below a prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from yarl import URL

from ken.errors import InvalidInput, SourceDenied, SourceMisbehaves, Unreadable
from ken.knowledge.parse.formats import media_type
from ken.knowledge.sources.addresses import parsed
from ken.knowledge.sources.client import Client, ClientLimits, Reply
from ken.knowledge.sources.s3_answer import ObjectPage, StoredObject, read_page, refusal
from ken.knowledge.sources.sigv4 import AccessKey, encoded, signed_headers
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

_FOUND = 200
_MISSING = 404
_PAGE = 1_000
_MOST_EMPTY_PAGES = 100
_FOLDER_MARKS = ("/", "_$folder$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Which objects of which store."""

    endpoint: str
    """As in `https://s3.eu-central-1.amazonaws.com` or `http://minio.example.org:9000`."""
    name: str
    prefix: str = ""
    """Keys begin with it; the paths of documents begin after its last `/`."""
    path_style: bool = True
    """The bucket stands in the path; False: before the host's name."""
    max_objects: int = 1_000_000
    """Looked at in one listing."""


class S3Connector:
    """The objects of a bucket. Every listing is whole, and a document's stamp is its object's ETag.

    Without a key nothing is signed: for buckets that everybody may read. Raises InvalidInput for an endpoint or a bucket
    that can't be one.
    """

    def __init__(
        self,
        bucket: Bucket,
        key: AccessKey | None = None,
        *,
        allowed_hosts: frozenset[str] = frozenset(),
        limits: ClientLimits = ClientLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._root = _root(bucket)
        self._client = Client(allowed_hosts=allowed_hosts, limits=limits)

    @property
    def location(self) -> str:
        """Bucket and prefix, with the store's host."""
        return f"s3://{self._bucket.name}/{self._bucket.prefix} ({self._root.raw_host})"

    @property
    def concurrency(self) -> int:
        """Stores take many more; documents are parsed no faster."""
        return 8

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:  # noqa: ARG002 - every listing is whole
        """List the bucket, page by page."""
        seen: set[str] = set()
        tokens: set[str] = set()
        token: str | None = None
        empty = 0
        while True:
            page = await self._page(token)
            fresh = [each for each in page.objects if each.key not in seen]
            empty = 0 if fresh else empty + 1
            for each in fresh:
                if len(seen) >= self._bucket.max_objects:
                    yield self._too_many(each)
                    yield Complete(is_whole=False)
                    return
                seen.add(each.key)
                for change in self._listed(each):
                    yield change
            token = page.next_token
            if token is None:
                break
            if token in tokens or empty > _MOST_EMPTY_PAGES or (page.objects and not fresh):
                raise SourceMisbehaves(
                    f"The list of {self.location} goes in circles: it names a page that it named before."
                )
            tokens.add(token)
        yield Complete()

    async def fetch(self, listed: Listed) -> Fetched:
        """The object's bytes."""
        url = self._address(listed.key)
        try:
            reply = await self._get(url)
        except SourceDenied as error:
            await self._page(None, most=1)  # raises SourceDenied where the whole bucket is closed by now
            raise Unreadable(f"{listed.path!r}: {error}") from error
        if reply.status == _FOUND:
            return Fetched(data=reply.body, url=None if self._key else str(url))
        trouble = refusal(reply, place=str(url))
        if reply.status == _MISSING and "NoSuchBucket" in str(trouble):
            raise trouble
        raise Unreadable(f"{listed.path!r} can't be read since it was listed: {trouble} Sync again.")

    async def permissions(self, listed: Listed) -> frozenset[str] | None:  # noqa: ARG002 - the seam's
        """None: a bucket's policies name accounts of its store, not groups of readers."""
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _page(self, token: str | None, *, most: int = _PAGE) -> ObjectPage:
        query = {"list-type": "2", "max-keys": str(most), "prefix": self._bucket.prefix, "encoding-type": "url"}
        if token is not None:
            query["continuation-token"] = token
        # A signature covers the query as it is spelled: octets, and no plus sign for a blank.
        spelled = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(query.items()))
        place = str(self._root)
        try:
            reply = await self._get(URL(f"{place}?{spelled}", encoded=True))
        except Unreadable as error:
            raise SourceMisbehaves(str(error)) from error
        return read_page(reply, place=place)

    async def _get(self, url: URL) -> Reply:
        headers = signed_headers(url, self._key, when=datetime.now(UTC)) if self._key else None
        return await self._client.get(str(url), headers=headers)

    def _address(self, key: str) -> URL:
        place = str(self._root).rstrip("/")
        return URL(f"{place}/{encoded(key, keeps='/')}", encoded=True)

    def _listed(self, stored: StoredObject) -> list[Change]:
        """What an object is to the collection; nothing for the marks that stand for folders."""
        if stored.key.endswith(_FOLDER_MARKS):
            return []
        path = self._path(stored.key)
        parts = path.split("/")
        if not path.isprintable() or any(part in {"", ".", ".."} for part in parts):
            plain = "/".join(part for part in parts if part not in {"", ".", ".."}) or stored.key
            return [Unlisted(plain, f"The key {stored.key!r} can't be a path. Store the object under another.")]
        if media_type(path) is None:
            return [Unlisted(path, "Ken doesn't read files with this suffix.", is_foreign=True)]
        return [Listed(path=path, key=stored.key, stamp=stored.etag, size=stored.size)]

    def _path(self, key: str) -> str:
        prefix = self._bucket.prefix
        return key[prefix.rfind("/") + 1 :] if key.startswith(prefix) else key

    def _too_many(self, stored: StoredObject) -> Unlisted:
        most = self._bucket.max_objects
        return Unlisted(
            self._path(stored.key),
            f"The bucket goes on after {most} objects, where Ken stopped: name a `prefix`. "
            "Nothing is deleted until it is listed whole.",
        )


def _root(bucket: Bucket) -> URL:
    """The address of the bucket."""
    name = bucket.name
    if not name or not all(part.isascii() and (part.isalnum() or part in "-._") for part in name) or ".." in name:
        raise InvalidInput(f"{name!r} can't be a bucket's name.", param="bucket")
    try:
        url = parsed(bucket.endpoint.rstrip("/"))
    except SourceMisbehaves as error:
        raise InvalidInput(str(error), param="endpoint") from error
    if url.raw_path not in {"", "/"} or url.raw_query_string:
        raise InvalidInput(f"{bucket.endpoint!r} holds more than scheme, host and port.", param="endpoint")
    host = f"[{url.raw_host}]" if ":" in (url.raw_host or "") else (url.raw_host or "").lower()
    port = "" if url.is_default_port() or url.explicit_port is None else f":{url.explicit_port}"
    if bucket.path_style:
        return URL(f"{url.scheme}://{host}{port}/{name}", encoded=True)
    return URL(f"{url.scheme}://{name}.{host}{port}/", encoded=True)
