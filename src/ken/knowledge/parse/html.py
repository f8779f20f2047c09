"""HTML becomes Markdown: what a reader of the page reads, without navigation, scripts and what is hidden.

The tree is walked with a stack of its own, so that nesting of any depth is read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ken.domain.document import ParsedDocument
from ken.knowledge.parse.decoding import clean, decode
from ken.knowledge.parse.html_table import is_data_table, table_rows
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import Stated, Value, assembled, stated

_DROPPED = frozenset(
    "nav footer aside script style template head title noscript iframe object embed svg canvas audio video map math del s "
    "strike input button select textarea datalist option progress meter dialog img picture menu".split()
)
_DROPPED_ROLES = frozenset("navigation banner contentinfo complementary search menu menubar dialog alertdialog".split())
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_PERMALINKS = frozenset({"", "\u200b", "#", "¶", "§", "🔗"})
"""What documentation sites put beside a heading, to link to it."""
_PARAGRAPHS = frozenset(
    "p hr div section article main body html header address figure figcaption fieldset legend form details summary table caption "
    "thead tbody tfoot tr td th center hgroup search dl dd dt".split()
)
_CODE = frozenset("code kbd samp tt".split())
_LONGEST_NUMBER = 6
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_META = frozenset("owner author groups effective review_by supersedes".split())

_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_TEXT_ENCODING = re.compile(r"utf-8|cp\d|iso8859|koi8|shift_jis|euc|gb|big5|mac-|iso2022")
_HEAD_BYTES = 4_096
_ARTICLE_SHARE = 0.3


def parse_html(data: bytes, *, name: str) -> ParsedDocument:
    """Parse HTML. Raises Unreadable for empty files and binary content."""
    source, mended = decode(data, name=name, declared=_declared_encoding(data))
    tree = LexborHTMLParser(source)
    told = _metadata(tree)
    writer = MarkdownWriter()
    for root in _content(tree):
        _write(root, writer)
    text, _ = clean(writer.text())
    told = Stated(told.metadata, (*mended, *told.warnings))
    return assembled(text, markdown_blocks(text), markup="markdown", told=told, name=name)


def _declared_encoding(data: bytes) -> str | None:
    match = _DECLARED.search(data, 0, _HEAD_BYTES)
    if not match:
        return None
    try:
        found = codecs.lookup((match[1] or match[2]).decode("ascii", errors="replace")).name
    except LookupError:
        return None
    # As browsers do: Latin-1 is read as the Windows code page that contains it.
    if found in {"iso8859-1", "ascii"}:
        return "cp1252"
    return found if _TEXT_ENCODING.match(found) else None


def _metadata(tree: LexborHTMLParser) -> Stated:
    values: list[tuple[str, Value]] = []
    title = tree.css_first("head title")
    if title is not None:
        values.append(("title", title.text()))
    named = [(str(meta.attributes.get("name") or "").lower(), meta) for meta in tree.css("meta[name]")]
    owned = any(key == "owner" for key, _ in named)
    for written, meta in named:
        key = written.replace("-", "_")
        if key in _META and not (key == "author" and owned):
            values.append(("owner" if key == "author" else key, str(meta.attributes.get("content") or "")))
    return stated(values)


def _content(tree: LexborHTMLParser) -> list[LexborNode]:
    """What holds the text: the main element, else the articles, else the whole body."""
    body = tree.body or tree.root
    if body is None:
        return []
    for main in tree.css("main, [role=main]"):
        if main.text(strip=True):
            return [main]
    articles = [node for node in tree.css("article") if not _within(node, "article")]
    length = sum(len(node.text(strip=True)) for node in articles)
    return articles if length > _ARTICLE_SHARE * len(body.text(strip=True)) else [body]


def _within(node: LexborNode, tag: str) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == tag:
            return True
        parent = parent.parent
    return False


def is_dropped(node: LexborNode) -> bool:
    """Whether the element is no part of the text: boilerplate, a form control, or hidden."""
    if node.tag in _DROPPED:
        return True
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in _DROPPED_ROLES
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
        or (node.tag == "a" and (attributes.get("href") or "").startswith("#") and node.text().strip() in _PERMALINKS)
    )


def _steps(root: LexborNode, skipped: set[int]) -> Iterator[tuple[LexborNode, bool]]:
    """Each node of the tree on entering (True) and leaving (False) it; nothing below the nodes in `skipped`."""
    stack: list[tuple[LexborNode, bool]] = [(root, True)]
    while stack:
        node, entering = stack.pop()
        if entering and node is not root and node.is_element_node and is_dropped(node):
            continue
        yield node, entering
        if not entering or not node.is_element_node:
            continue
        stack.append((node, False))
        if node.mem_id not in skipped:
            children: list[tuple[LexborNode, bool]] = []
            child = node.child
            while child is not None:
                children.append((child, True))
                child = child.next
            stack.extend(reversed(children))


def _write(root: LexborNode, writer: MarkdownWriter) -> None:
    skipped: set[int] = set()
    in_content = root.tag in {"main", "article"}
    for node, entering in _steps(root, skipped):
        tag = node.tag or ""
        if node.is_text_node:
            writer.words(node.text_content or "")
        elif not node.is_element_node:
            continue
        elif tag == "br":
            if entering:
                writer.line_break()
        elif tag == "header" and entering and not in_content and _is_banner(node):
            skipped.add(node.mem_id)
        elif tag == "table" and entering and is_data_table(node):
            skipped.add(node.mem_id)
            header, rows, caption = table_rows(node, is_dropped)
            writer.table(header, rows, caption=caption)
        elif entering:
            _enter(node, tag, writer)
        else:
            _leave(tag, writer)
    writer.end_block()


def _is_banner(header: LexborNode) -> bool:
    return header.css_first("nav") is not None or header.css_first("h1") is None


def _enter(node: LexborNode, tag: str, writer: MarkdownWriter) -> None:
    match tag:
        case "pre":
            writer.begin_code()
        case "ul" | "ol" | "dl":
            writer.begin_list(numbered=tag == "ol", start=_first_number(node))
        case "li" | "dt":
            writer.begin_point()
        case "dd":
            writer.definition()
        case "blockquote":
            writer.begin_quote()
        case _ if tag in _CODE:
            writer.begin_inline_code()
        case _ if tag in _HEADINGS:
            writer.begin_heading(_HEADINGS[tag])
        case _ if tag in _PARAGRAPHS:
            writer.end_block()
        case _:
            pass


def _leave(tag: str, writer: MarkdownWriter) -> None:
    match tag:
        case "pre":
            writer.end_code()
        case "ul" | "ol" | "dl":
            writer.end_list()
        case "blockquote":
            writer.end_quote()
        case "dt":
            pass
        case _ if tag in _CODE:
            writer.end_inline_code()
        case _ if tag in _PARAGRAPHS or tag in _HEADINGS or tag == "li":
            writer.end_block()
        case _:
            pass


def _first_number(ordered: LexborNode) -> int:
    start = str(ordered.attributes.get("start") or "1")
    return int(start) if start.isdecimal() and len(start) <= _LONGEST_NUMBER else 1
