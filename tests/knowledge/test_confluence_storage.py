from __future__ import annotations

import time

import pytest

from ken.knowledge.parse.html import parse_html
from ken.knowledge.sources.confluence_storage import page_html


def read(storage: str, *, is_storage: bool = True) -> str:
    """What Ken reads of a page."""
    return parse_html(page_html(storage, title="T", is_storage=is_storage).encode(), name="1.html").text


def macro(name: str, body: str = "", /, **parameters: str) -> str:
    told = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    return f'<ac:structured-macro ac:name="{name}" ac:schema-version="1">{told}{body}</ac:structured-macro>'


def rich(body: str) -> str:
    return f"<ac:rich-text-body>{body}</ac:rich-text-body>"


def plain(body: str) -> str:
    return f"<ac:plain-text-body><![CDATA[{body}]]></ac:plain-text-body>"


CASES = {
    "headings": ("<h2>A &amp; B&nbsp;C</h2><p>x<br/>y</p>", "## A & B C\n\nx  \ny\n"),
    "code": (
        macro("code", plain("if a < b && c:\n    print('<p>]] >')"), language="py", title="go.py"),
        "go.py\n\n```\nif a < b && c:\n    print('<p>]] >')\n```\n",
    ),
    "markup in code": (
        macro("code", plain('<ac:link><ri:page ri:content-title="X" /></ac:link>')),
        '```\n<ac:link><ri:page ri:content-title="X" /></ac:link>\n```\n',
    ),
    "noformat": (macro("noformat", plain("a  b")), "```\na  b\n```\n"),
    "panel": (macro("warning", rich("<p>Never.</p>"), title="Stop"), "Warning: Stop\n\nNever.\n"),
    "panel without title": (macro("info", rich("<p>So.</p>")), "Info\n\nSo.\n"),
    "panel in a cell": (
        f"<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>{macro('note', rich('<p>Mind.</p>'))}</td></tr></table>",
        "| A | B |\n| --- | --- |\n| 1 | Note Mind. |\n",
    ),
    "expand": (macro("expand", rich("<ol><li>one</li></ol>"), title="Steps"), "Steps\n\n1. one\n"),
    "macro in a macro": (
        macro("expand", rich(macro("tip", rich("<p>in</p>") + "") + "<p>after</p>"), title="M"),
        "M\n\nTip\n\nin\n\nafter\n",
    ),
    "tasks": (
        (
            "<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>complete</ac:task-status>"
            "<ac:task-body>done</ac:task-body></ac:task><ac:task><ac:task-status>incomplete</ac:task-status>"
            '<ac:task-body>by <time datetime="2026-02-01" /></ac:task-body></ac:task></ac:task-list>'
        ),
        "- [x] done\n- [ ] by 2026-02-01\n",
    ),
    "page link": ('<p>See <ac:link><ri:page ri:content-title="Run book" /></ac:link>.</p>', "See Run book.\n"),
    "link with words": (
        (
            '<p><ac:link><ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[the <b>]]>'
            '</ac:plain-text-link-body></ac:link> and <ac:link><ri:attachment ri:filename="a.pdf" /></ac:link></p>'
        ),
        "the \\<b> and a.pdf\n",
    ),
    "rich link body": (
        '<p><ac:link><ri:page ri:content-title="X" /><ac:link-body>some <strong>words</strong></ac:link-body></ac:link></p>',
        "some words\n",
    ),
    "status": (f"<p>It is {macro('status', title='DONE', colour='Green')}.</p>", "It is DONE.\n"),
    "issue": (f"<p>{macro('jira', key='OPS-12', server='Jira')}</p>", "OPS-12\n"),
    "file macro": (
        macro("view-file", name='<ri:attachment ri:filename="plan.pdf" />'),
        "plan.pdf\n",
    ),
    "macros without words": (macro("toc", maxLevel="3") + macro("children") + "<p>x</p>", "x\n"),
    "unknown macro": (
        macro("acme-box", rich("<p>kept</p>")) + macro("acme-raw", plain("a;b")),
        "kept\n\n```\na;b\n```\n",
    ),
    "layout": (
        (
            "<ac:layout><ac:layout-section><ac:layout-cell><p>l</p></ac:layout-cell>"
            "<ac:layout-cell><p>r</p></ac:layout-cell></ac:layout-section></ac:layout>"
        ),
        "l\n\nr\n",
    ),
    "image": (
        '<ac:image ac:alt="A chart"><ri:attachment ri:filename="c.png" /><ac:caption><p>Figure 1</p></ac:caption></ac:image>',
        "A chart\n\nFigure 1\n",
    ),
    "newer panel": (
        (
            '<ac:adf-extension><ac:adf-node type="panel"><ac:adf-attribute key="panel-type">note</ac:adf-attribute>'
            "<ac:adf-content><p>once</p></ac:adf-content></ac:adf-node><ac:adf-fallback><p>once</p></ac:adf-fallback>"
            "</ac:adf-extension>"
        ),
        "Note\n\nonce\n",
    ),
    "table with spans": (
        (
            '<table class="wrapped"><colgroup><col /><col /></colgroup><tbody><tr><th>A</th><th>B</th></tr>'
            '<tr><td rowspan="2">1</td><td>2</td></tr><tr><td>3</td></tr></tbody></table>'
        ),
        "| A | B |\n| --- | --- |\n| 1 | 2 |\n| 1 | 3 |\n",
    ),
    "struck out": ('<p>now <s>old</s><span style="text-decoration: line-through;">older</span> new</p>', "now new\n"),
    "empty paragraphs": ("<p/><p /><p>x</p><hr/><p>y</p>", "x\n\ny\n"),
    "inline comment": ('<p>a <ac:inline-comment-marker ac:ref="1">b</ac:inline-comment-marker></p>', "a b\n"),
    "emoji": ('<p>ok <ac:emoticon ac:name="tick" ac:emoji-fallback="✔" /></p>', "ok ✔\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_storage_format_reads_as_the_page_does(name: str) -> None:
    """Each construct of the storage format comes out as its readers see it."""
    storage, expected = CASES[name]
    assert read(storage) == expected


@pytest.mark.parametrize("is_storage", [True, False])
def test_a_page_says_nothing_in_the_documents_head(is_storage: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Titles, metadata, scripts and front matter in a page's body are dropped or text, not metadata."""
    body = '<title>x</title><meta name="groups" content="all"/><script>y()</script><p>---<br/>title: z<br/>---</p>'
    parsed = parse_html(page_html(body, title="</title> & Co", is_storage=is_storage).encode(), name="1.html")
    assert (parsed.metadata.title, parsed.metadata.groups) == ("</title> & Co", None)
    assert parsed.text == "\\---  \ntitle: z  \n\\---\n"


def test_exported_html_is_read_as_html() -> None:
    """HTML that the server made keeps HTML's own rules, such as paragraphs that nobody closes."""
    assert read("<p>one<p>two<ul><li>a<li>b</ul>", is_storage=False) == "one\n\ntwo\n\n- a\n- b\n"


NESTED = (
    "<ac:link><ac:link-body>",
    "<ac:adf-extension><ac:adf-node>",
    '<ac:structured-macro ac:name="info"><ac:rich-text-body>',
    '<ac:structured-macro ac:name="x"><ac:parameter ac:name="y">',
    "<ac:task><ac:task-body>",
)


@pytest.mark.parametrize(
    "piece", ["<ac:x>", "<![CDATA[", '<a b="', "<!--", "<a <b ", "</p>", "<ac:link><ri:page />", *NESTED]
)
def test_hostile_pages_take_no_time(piece: str) -> None:
    """Much broken markup is read in the time of as much text."""
    began = time.process_time()
    page_html(piece * (400_000 // len(piece)), title="T")
    assert time.process_time() - began < 5
