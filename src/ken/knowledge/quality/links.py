"""Links between the documents of a collection: where each leads, which lead nowhere, which documents none leads to."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from ken.domain.document import Document
from ken.knowledge.parse.formats import SUPPORTED

_FENCED = re.compile(r"^[ \t>]*(`{3,}|~{3,}).*?(?:^[ \t>]*\1|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)[^\n]*?(?<!`)\1(?!`)")
_LINK = re.compile(
    r"""
      \] \( \s* \{[{%] [^{}\n"']* ["'](?P<template>[^"'\n]+)["'] [^{}\n]* [%}]\}
    | \] \( \s* (?: <(?P<angled>[^<>\n]+)> | (?P<inline>[^\s()]+(?:\([^\s()]*\)[^\s()]*)*) )
    | ^[ ]{0,3} \[ (?!\^) [^\]\n]+ \] : [ \t]* <?(?P<defined>[^\s<>]+)>?
    | \[\[ (?P<page>[^\[\]|\#\n]{1,200}) (?:[|\#][^\[\]\n]*)? \]\]
    | <a\b [^<>]*? \bhref\s*=\s*["'](?P<href>[^"'<>\n]+)["']
    """,
    re.VERBOSE | re.MULTILINE,
)
_TEMPLATE = re.compile(r"[{<$%][{%<(]|\$\{")
_INDEX_NAMES = frozenset(
    {"index", "readme", "_index", "home", "toc", "summary", "contents", "start", "overview", "_sidebar"}
)
_SEVERAL = 3
_LINKED_SHARE = 0.7
_LEAST_LINKED = 5


@dataclass(frozen=True, slots=True)
class Link:
    """Where a document points: an address or path as written, or the name of a page in double brackets."""

    target: str
    form: Literal["path", "page", "template"]
    """`template`: the argument of a site generator's own link, as in `{% page "/leave/" %}`."""


def links_in(text: str) -> tuple[Link, ...]:
    """The links of a Markdown text to other documents, each once, in order: no code, images, anchors or e-mail."""
    prose = _CODE.sub(" ", _FENCED.sub(" ", text))
    found: dict[Link, None] = {}
    for match in _LINK.finditer(prose):
        if match["page"] is not None:
            found[Link(match["page"].strip(), "page")] = None
            continue
        if match["template"] is not None:
            found[Link(match["template"], "template")] = None
            continue
        target = match["angled"] or match["inline"] or match["defined"] or match["href"]
        if not target.startswith(("#", "mailto:", "tel:", "javascript:", "data:")) and not _TEMPLATE.search(target):
            found[Link(target, "path")] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LinkMap:
    """What the links of a collection lead to."""

    inbound: Mapping[str, int]
    """Of each document by id: how many others link to it."""
    broken: Sequence[tuple[Document, Link]]
    """Links to documents that are not there, as far as the asking principal may read."""
    is_navigable: bool
    """Whether readers of the collection get around by its links: most documents are linked from another one. Where they
    are not, as in a folder with a search or a site with a menu of its own, a document without links to it is no orphan."""


@dataclass(slots=True)
class _Names:
    """The documents of a collection under every name that a link may call them by."""

    paths: dict[str, str] = field(default_factory=dict[str, str])
    stems: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    titles: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    urls: dict[str, str] = field(default_factory=dict[str, str])
    folders: Counter[str] = field(default_factory=Counter[str])

    def add(self, document: Document) -> None:
        path = PurePosixPath(document.path.lower())
        self.paths[str(path)] = document.id
        self.folders[str(path.parent)] += 1
        self.folders["/".join(path.parent.parts[1:]) or "."] += 1
        stem = str(path.with_suffix(""))
        self.paths.setdefault(stem, document.id)
        if path.stem in _INDEX_NAMES:
            self.paths.setdefault(str(path.parent), document.id)
        self.stems.setdefault(path.stem, set()).add(document.id)
        self.titles.setdefault(_page_name(document.title), set()).add(document.id)
        if document.url:
            self.urls[_plain_url(document.url)] = document.id

    def has_folder_of(self, link: Link) -> bool:
        """Whether several documents lie in the folder that a path from the root leads into."""
        folder = posixpath.dirname(unquote(urlsplit(link.target).path).lower().rstrip("/")).lstrip("/")
        return bool(folder) and self.folders[folder] >= _SEVERAL


def link_map(documents: Sequence[Document], links: Mapping[str, Sequence[Link]]) -> LinkMap:
    """Resolve the links of each document (by id) among the documents of its collection.

    A path may be meant from the linking document's folder, from the collection's root or a folder at its top (as sites
    do), with another suffix or none. A link counts as broken only where it is surely meant for a document here: a
    relative path that stays inside the collection and ends in the suffix of a format that Ken reads; a path from the root
    into a folder that holds other documents; a page name where most page names lead somewhere.
    """
    names = _Names()
    for document in documents:
        names.add(document)
    inbound: dict[str, set[str]] = {document.id: set() for document in documents}
    missed: dict[str, list[tuple[Document, Link]]] = {"relative": [], "rooted": [], "page": []}
    led = dict.fromkeys(missed, 0)
    for document in documents:
        for link in links[document.id]:
            form = _form(link, document)
            targets = _resolved(link, document, names)
            for target in targets - {document.id}:
                inbound[target].add(document.id)
            if form is not None and targets:
                led[form] += 1
            elif form is not None:
                missed[form].append((document, link))
    broken = missed["relative"] + [each for each in missed["rooted"] if led["rooted"] and names.has_folder_of(each[1])]
    if led["page"] > len(missed["page"]):
        broken += missed["page"]
    linked = sum(1 for sources in inbound.values() if sources)
    is_navigable = linked >= max(_LEAST_LINKED, _LINKED_SHARE * len(documents))
    return LinkMap({name: len(sources) for name, sources in inbound.items()}, broken, is_navigable)


def is_index_page(document: Document) -> bool:
    """Whether a document is where readers begin: nothing needs to link to it."""
    return PurePosixPath(document.path.lower()).stem in _INDEX_NAMES


def _form(link: Link, document: Document) -> Literal["relative", "rooted", "page"] | None:
    """What kind of link it is; None where it leads out, or may lead to something else."""
    if link.form != "path":
        return "page" if link.form == "page" else None
    parts = urlsplit(link.target)
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or not path or document.url:
        return None
    suffix = PurePosixPath(path).suffix.lower()
    if path.startswith("/"):
        return "rooted" if suffix in SUPPORTED or not suffix else None
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), path))
    return "relative" if suffix in SUPPORTED and not inside.startswith("..") else None


def _resolved(link: Link, document: Document, names: _Names) -> set[str]:
    if link.form == "page":
        name = _page_name(link.target)
        return names.titles.get(name) or names.stems.get(name.replace(" ", "-")) or names.stems.get(name) or set()
    if document.url or urlsplit(link.target).scheme:
        found = names.urls.get(_plain_url(urljoin(document.url or "", link.target)))
        if found is not None or urlsplit(link.target).scheme:
            return {found} if found is not None else set()
    for place in _places(link.target, document.path):
        if (found := names.paths.get(place)) is not None:
            return {found}
    return set()


def _places(target: str, path: str) -> Iterator[str]:
    """Where a path may lead, the likeliest first, in lower case, without the suffix where it may be another one."""
    named = unquote(urldefrag(target).url.split("?")[0]).lower()
    if not named:
        return
    folder = posixpath.dirname(path.lower())
    first = path.lower().split("/")[0]
    # A page `x/` made of `x.md` on a site has relative links from one level below its file.
    below = (folder, posixpath.splitext(path.lower())[0], "")
    bases = ("", first if "/" in path else "") if named.startswith("/") else below
    for base in dict.fromkeys(bases):
        place = posixpath.normpath(posixpath.join(base, named.lstrip("/")))
        yield place
        stem, suffix = posixpath.splitext(place)
        if suffix in {".html", ".htm", ".md", ".markdown"}:
            yield stem
            if posixpath.basename(stem) in _INDEX_NAMES:
                yield posixpath.dirname(stem)


def _page_name(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().lower()))


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.lower()}{unquote(parts.path).rstrip('/').lower()}{'?' + parts.query if parts.query else ''}"


def by_name(documents: Iterable[Document]) -> dict[str, list[str]]:
    """Ids of documents by the last name of their paths, without suffix and in lower case."""
    named: dict[str, list[str]] = {}
    for document in documents:
        named.setdefault(PurePosixPath(document.path.lower()).stem, []).append(document.id)
    return named


def meant(target: str, document_id: str, *, named: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Documents that have the last name of a broken link of a document: where it may lead instead; three at most."""
    name = PurePosixPath(unquote(urlsplit(target).path).lower()).stem
    alike = [each for each in named.get(name, ()) if each != document_id]
    return tuple(alike[:3]) if name not in _INDEX_NAMES else ()
