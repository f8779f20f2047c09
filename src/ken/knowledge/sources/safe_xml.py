"""XML that strangers wrote: read without document types, so that no entity can grow or reach for a file."""

from __future__ import annotations

from typing import Protocol, TypeVar, cast
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from ken.errors import SourceMisbehaves

_Result_co = TypeVar("_Result_co", covariant=True)
_DOCTYPE = b"<!DOCTYPE"
_HTML = b"<html"
_HEAD = 1_000
_SHOWN_CHARS = 100


class _DoctypeFound(Exception):
    """Entities are declared there; no list of addresses and no answer of a bucket needs any."""


class NoDoctype:
    """A target of XML that stops at a document type, before anything in it is read."""

    def doctype(self, *declared: str | None) -> None:
        """Refuse it."""
        raise _DoctypeFound(*declared)


class XmlTarget(Protocol[_Result_co]):
    """Takes elements as they come, tags as `{namespace}name`, and says at the end what they were."""

    def start(self, tag: str, attributes: dict[str, str], /) -> object:
        """An element begins."""
        ...

    def end(self, tag: str, /) -> object:
        """An element ends."""
        ...

    def data(self, text: str, /) -> object:
        """Text inside the element that began last; it may come in pieces."""
        ...

    def doctype(self, *declared: str | None) -> None:
        """A document type is declared: NoDoctype refuses it."""
        ...

    def close(self) -> _Result_co:
        """What was read."""
        ...


class _Builder(NoDoctype, TreeBuilder):
    """Builds trees."""


def read_xml(data: bytes, target: XmlTarget[_Result_co], *, place: str) -> _Result_co:
    """Hand the elements of `data` to `target`. Raises SourceMisbehaves for what is no XML, or declares a document type."""
    if _HTML in data[:_HEAD].lower():
        raise SourceMisbehaves(
            f"{place!r} answered with a web page where XML was due. Look at the address and the key."
        )
    # A target hears of it only when all that came with it has been read; in UTF-8 it is seen before anything is.
    if _DOCTYPE in data:
        raise _refused(place)
    parser = XMLParser(target=target)  # noqa: S314 - what makes it unsafe is refused
    try:
        parser.feed(data)
        return cast("_Result_co", cast("object", parser.close()))
    except _DoctypeFound as error:
        raise _refused(place) from error
    except (ParseError, LookupError, ValueError) as error:
        raise SourceMisbehaves(f"{place!r} answered what is no XML: {str(error)[:_SHOWN_CHARS]}.") from error


def _refused(place: str) -> SourceMisbehaves:
    return SourceMisbehaves(f"{place!r} answered XML with a document type, which it has no need of: refused.")


def xml_tree(data: bytes, *, place: str) -> Element:
    """The root element. Raises SourceMisbehaves as `read_xml` does."""
    return read_xml(data, _Builder(), place=place)


def local_name(tag: str) -> str:
    """A tag without its namespace, which servers spell in several ways."""
    return tag.rpartition("}")[2]
