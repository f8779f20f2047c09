"""What an S3-compatible store answers with: pages of object lists, and errors, both in XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from ken.errors import SourceDown, SourceError, SourceMisbehaves
from ken.knowledge.sources.client import Reply
from ken.knowledge.sources.safe_xml import local_name, xml_tree

_FOUND = 200
_LONGEST_KEY = 1_024
"""Bytes, by the protocol."""
_REMEDIES: Mapping[str, str] = {
    "NoSuchBucket": "Mend `bucket`, or `endpoint`.",
    "PermanentRedirect": "Set `region` and `endpoint` to those of the bucket.",
    "AuthorizationHeaderMalformed": "Set `region` to that of the bucket.",
    "InvalidArgument": "Look at `prefix` and `endpoint`.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
}
_WORDS_CHARS = 200


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a list shows it."""

    key: str
    etag: str | None
    """Without quotes; changes whenever the content does."""
    size: int | None


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of a list."""

    objects: tuple[StoredObject, ...]
    next_token: str | None
    """None on the last page."""


def read_page(reply: Reply, *, place: str) -> ObjectPage:
    """A page of ListObjectsV2. Raises SourceMisbehaves where the answer is an error, or none that the protocol knows."""
    if reply.status != _FOUND:
        raise refusal(reply, place=place)
    root = xml_tree(reply.body, place=place)
    if local_name(root.tag) == "Error":
        raise refusal(reply, place=place)
    if local_name(root.tag) != "ListBucketResult":
        raise SourceMisbehaves(f"{place!r} answered {local_name(root.tag)[:50]!r} where a list of objects was due.")
    told: dict[str, str] = {}
    objects: list[StoredObject] = []
    is_encoded = any(local_name(each.tag) == "EncodingType" and each.text == "url" for each in root)
    for element in root:
        if local_name(element.tag) == "Contents":
            fields = {local_name(each.tag): (each.text or "") for each in element}
            objects.append(_object(fields, is_encoded=is_encoded, place=place))
        else:
            told[local_name(element.tag)] = element.text or ""
    token = told.get("NextContinuationToken", "")
    if told.get("IsTruncated", "").strip().lower() == "true" and not token:
        raise SourceMisbehaves(f"{place!r} says that its list goes on, and not where.")
    return ObjectPage(tuple(objects), token or None)


def _object(fields: Mapping[str, str], *, is_encoded: bool, place: str) -> StoredObject:
    key = fields.get("Key", "")
    key = unquote_plus(key) if is_encoded else key
    if not key or len(key.encode(errors="replace")) > _LONGEST_KEY:
        raise SourceMisbehaves(f"{place!r} lists an object without a key, or with one that no store takes.")
    size = fields.get("Size", "").strip()
    return StoredObject(key, fields.get("ETag", "").strip('" ') or None, int(size) if _is_number(size) else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16  # noqa: PLR2004 - petabytes


def refusal(reply: Reply, *, place: str) -> SourceError:
    """What an error of the store means."""
    try:
        root = xml_tree(reply.body, place=place)
        fields = {local_name(each.tag): (each.text or "").strip() for each in root.iter()}
    except SourceMisbehaves:
        fields = {}
    code, message = fields.get("Code", ""), fields.get("Message", "")[:_WORDS_CHARS]
    region = fields.get("Region") or reply.headers.get("x-amz-bucket-region")
    said = f"{place!r} answered {reply.status}" + (f" {code}: {message.rstrip('.')}." if code else ".")
    remedy = _REMEDIES.get(code, "Look at the address of the store.")
    if region and code in {"PermanentRedirect", "AuthorizationHeaderMalformed"}:
        remedy = f"Its region is {region[:50]!r}. {remedy}"
    # A store that is busy may say so in an answer that began well.
    kind = SourceDown if code in {"SlowDown", "InternalError", "ServiceUnavailable"} else SourceMisbehaves
    return kind(f"{said} {remedy}")
