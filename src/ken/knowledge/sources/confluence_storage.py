"""Confluence's storage format becomes plain HTML: macros, links, tasks and layouts as their readers see them.

Storage format is XML with two vocabularies beside HTML's, `ac:` and `ri:`
(https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html). Every element is renamed before the HTML
parser sees it, so that no rule of HTML closes or moves one; then only elements that we know are written, without attributes
but for spans and numbers. So nothing of a page reaches the document's head, and nothing of it runs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ken.knowledge.parse.html import is_dropped

_PREFIX = "x-"
_MARKUP = re.compile(
    r"<!\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)"
    r"|(?P<comment><!--.*?(?:-->|\Z)|<[!?][^>]*>?)"
    r"|<(?P<slash>/?)(?P<name>[A-Za-z][\w:.-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.DOTALL,
)
_VOID = frozenset("br hr img col input wbr area embed link meta source track param".split())

_KEPT = frozenset(
    "p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre code kbd samp strong b em i u sub sup small big q cite abbr ins table "
    "caption thead tbody tfoot tr th td div section".split()
)
_DROPPED = frozenset(
    "script style nav template head title iframe object embed svg math noscript form input button select textarea del s strike img "
    "ac:parameter ac:placeholder ac:task-id ac:task-uuid ac:adf-attribute ac:adf-mark ac:adf-parameter ac:inline-comment-ref".split()
)
_ATTRIBUTES = {"td": ("colspan", "rowspan"), "th": ("colspan", "rowspan"), "ol": ("start",)}
_PANELS = {
    "info": "Info",
    "note": "Note",
    "warning": "Warning",
    "tip": "Tip",
    "success": "Success",
    "error": "Error",
    "panel": "",
    "expand": "",
}
_SAID_BY_PARAMETER = {"status": "title", "jira": "key", "jiraissues": "key", "roadmap": "title", "widget": "url"}

Part = LexborNode | str
"""What is still to be written: an element, or HTML that is ready."""


def page_html(body: str, *, title: str, is_storage: bool = True) -> str:
    """A whole HTML document of a page's body; `is_storage` False where the server has made it HTML already."""
    if not is_storage:
        tree = LexborHTMLParser(body)
        return _document(tree, title)
    return _document(LexborHTMLParser(f"<body>{_MARKUP.sub(_renamed, body)}"), title)


def _document(tree: LexborHTMLParser, title: str) -> str:
    written: list[str] = []
    stack: list[Part] = list(reversed(list(_children(tree.body)))) if tree.body is not None else []
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            written.append(part)
        elif part.is_text_node:
            written.append(html.escape(part.text_content or "", quote=False))
        elif part.is_element_node:
            stack.extend(reversed(_parts(part)))
    head = f'<meta charset="utf-8"><title>{html.escape(title, quote=False)}</title>'
    return f"<!doctype html><html><head>{head}</head><body><main>{''.join(written)}</main></body></html>"


def _renamed(markup: re.Match[str]) -> str:
    if (data := markup["data"]) is not None:
        return html.escape(data)
    if markup["comment"] is not None:
        return ""
    name, rest = markup["name"].lower(), markup["rest"]
    is_empty = rest.endswith("/") or (name in _VOID and not markup["slash"])
    opened = f"<{markup['slash']}{_PREFIX}{name}{rest.removesuffix('/')}>"
    return f"{opened}</{_PREFIX}{name}>" if is_empty and not markup["slash"] else opened


def _name(node: LexborNode) -> str:
    return (node.tag or "").removeprefix(_PREFIX)


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _named(node: LexborNode, *names: str) -> LexborNode | None:
    """The first child element with one of `names`."""
    return next((child for child in _children(node) if child.is_element_node and _name(child) in names), None)


def _parts(node: LexborNode) -> list[Part]:
    """What stands for an element."""
    name = _name(node)
    if name in _DROPPED or is_dropped(node) or "line-through" in _attribute(node, "style"):
        return []
    if name in _ELEMENTS:
        return _ELEMENTS[name](node)
    if name in _KEPT:
        return [f"<{name}{_spans(node, name)}>", *_children(node), f"</{name}>"]
    return list(_children(node))


def _spans(node: LexborNode, name: str) -> str:
    values = ((key, _attribute(node, key)) for key in _ATTRIBUTES.get(name, ()))
    return "".join(f' {key}="{value}"' for key, value in values if value.isdecimal() and len(value) < 7)  # noqa: PLR2004


def _macro(node: LexborNode) -> list[Part]:
    name = _attribute(node, "ac:name").lower()
    title = _parameter(node, "title")
    rich, plain = _named(node, "ac:rich-text-body"), _named(node, "ac:plain-text-body")
    if name in _PANELS:
        label = ": ".join(filter(None, (_PANELS[name], title)))
        return ["<div>", *_label(label), *(_children(rich) if rich is not None else ()), "</div>"]
    if name in _SAID_BY_PARAMETER:
        return [html.escape(_parameter(node, _SAID_BY_PARAMETER[name]))]
    if rich is not None:
        return ["<div>", *_children(rich), "</div>"]
    if plain is not None:
        return [*_label(title), "<pre>", html.escape(plain.text()), "</pre>"]
    return _named_by_parameters(node)


def _label(words: str) -> list[Part]:
    return [f"<p><strong>{html.escape(words)}</strong></p>"] if words else []


def _parameter(macro: LexborNode, name: str) -> str:
    for child in _children(macro):
        if child.is_element_node and _name(child) == "ac:parameter" and _attribute(child, "ac:name") == name:
            return " ".join(child.text().split())
    return ""


def _named_by_parameters(macro: LexborNode) -> list[Part]:
    """The pages and files that a macro without a body shows, by their names: what they hold is their own document."""
    parameters = [child for child in _children(macro) if child.is_element_node and _name(child) == "ac:parameter"]
    pointers = [part for parameter in parameters for part in _children(parameter)]
    pointers += [part for link in pointers if _name(link) == "ac:link" for part in _children(link)]
    shown = [said for pointer in pointers if (said := _resource(pointer))]
    return [f"<p>{html.escape(', '.join(shown))}</p>"] if shown else []


def _resource(node: LexborNode) -> str:
    """How people call what an `ri:` element points at; "" for accounts, whose names are not there."""
    if not node.is_element_node:
        return ""
    match _name(node):
        case "ri:page" | "ri:blog-post" | "ri:content-entity":
            return _attribute(node, "ri:content-title")
        case "ri:attachment":
            return _attribute(node, "ri:filename")
        case "ri:space":
            return _attribute(node, "ri:space-key")
        case "ri:url":
            return _attribute(node, "ri:value")
        case _:
            return ""


def _link(node: LexborNode) -> list[Part]:
    body = _named(node, "ac:link-body", "ac:plain-text-link-body")
    if body is not None and body.child is not None:
        return list(_children(body))
    named = (said for child in _children(node) if (said := _resource(child)))
    return [html.escape(next(named, "") or _attribute(node, "ac:anchor"))]


def _image(node: LexborNode) -> list[Part]:
    words = html.escape(_attribute(node, "ac:alt") or _attribute(node, "ac:title"))
    caption = _named(node, "ac:caption")
    return [words, *(_children(caption) if caption is not None else ())]


def _task(node: LexborNode) -> list[Part]:
    status, body = _named(node, "ac:task-status"), _named(node, "ac:task-body")
    is_done = status is not None and status.text(strip=True) == "complete"
    return ["<li>", "[x] " if is_done else "[ ] ", *(_children(body) if body is not None else ()), "</li>"]


def _extension(node: LexborNode) -> list[Part]:
    """What the newer editor has and the older has not, and for the older one the same once more."""
    content = _named(node, "ac:adf-node")
    is_known = content is not None and _named(content, "ac:adf-content", "ac:adf-node") is not None
    return [content] if content is not None and is_known else list(_children(node))


def _extension_node(node: LexborNode) -> list[Part]:
    kinds = [
        child.text(strip=True)
        for child in _children(node)
        if child.is_element_node and _name(child) == "ac:adf-attribute" and _attribute(child, "key") == "panel-type"
    ]
    return ["<div>", *_label(_PANELS.get(kinds[0], "") if kinds else ""), *_children(node), "</div>"]


_ELEMENTS: Mapping[str, Callable[[LexborNode], list[Part]]] = MappingProxyType(
    {
        "br": lambda _: ["<br>"],
        "hr": lambda _: ["<p></p>"],
        "time": lambda node: [html.escape(_attribute(node, "datetime")), *_children(node)],
        "ac:structured-macro": _macro,
        "ac:macro": _macro,
        "ac:link": _link,
        "ac:image": _image,
        "ac:emoticon": lambda node: [
            html.escape(_attribute(node, "ac:emoji-fallback") or f":{_attribute(node, 'ac:name')}:")
        ],
        "ac:task-list": lambda node: ["<ul>", *_children(node), "</ul>"],
        "ac:task": _task,
        "ac:adf-extension": _extension,
        "ac:adf-node": _extension_node,
    }
)
"""The elements that are more, or something else, than what is in them."""
