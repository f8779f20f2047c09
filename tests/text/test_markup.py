from __future__ import annotations

import time

import pytest

from ken.text.markup import plain


@pytest.mark.parametrize(
    ("source", "reading"),
    [
        ("# Leave **and** rest #", "Leave and rest"),
        ("Title\n=====\n\ntext\n---", "Title text"),
        ("*em* _em_ **strong** __strong__ ***both*** ~~gone~~", "em em strong strong both gone"),
        ("_a __nested__ b_ and *c **too** d*", "a nested b and c too d"),
        ("**Bold:**text and 中文**粗体**中文", "Bold:text and 中文粗体中文"),
        ("[link _a_](http://x.example/a_b 'title') and ![alt](a.png)", "link a and alt"),
        ("[![badge](b.svg)](http://x.example) yes", "badge yes"),
        ("see [the schemas][1] and [content schemas]", "see the schemas and content schemas"),
        ("text\n\n[ref]: https://x.example/y 'z'\n[other]: page.html", "text"),
        ("noted[^1].\n\n[^1]: the note", "noted. the note"),
        ("<https://auto.example/x_y> <me@x.example>", "https://auto.example/x_y me@x.example"),
        ("- [ ] one\n* two\n  1. three\n+ four", "one two three four"),
        ("> [!NOTE]\n> quoted\n> > twice", "quoted twice"),
        ("| a | b \\| c |\n|---|:-:|\n| 1 |  | `x` |", "a · b | c 1 · x"),
        ("a<br>b <span class='x'>c</span><p>d</p> &amp; &#8364;&nbsp;5", "a b c d & € 5"),
        ("<!-- no --> yes <script>no()</script>", "yes"),
        ("{% alert %}hi{% endalert %} {{ x }} [a]({% page '/b/' %}){:target='_blank'}", "hi a"),
        ("{% comment %} later {% endcomment %}now", "now"),
        ("---\ntitle: x\nowner: y\n---\nText", "Text"),
        ('!!! warning "Mind"\n    the gap', "Mind the gap"),
        ("a\\*b\\_c \\# \\[d]", "a*b_c # [d]"),
        ("```sh\nls *a* | x_y\n```\nafter **b**", "ls *a* | x_y after b"),
    ],
)
def test_marks_are_dropped(source: str, reading: str) -> None:
    """What a reader of the rendered page does not see is gone, and white space is folded."""
    assert plain(source, "markdown") == reading


@pytest.mark.parametrize(
    "text",
    [
        "snake_case_name and __init__.py and SOME_VAR_X",
        "rm *.log *.txt; 5 * 3 * 2; 2*3*4",
        "**kwargs and *args",
        "<namespace>/<pod-name> and a < b > c",
        "https://x.example/a_b_c*d?e=f_g and https://*.x.example/",
        "arr[i] and [1] and dict['x'] and [[ -f x ]]",
        "C:\\temp\\x and #channel and #123 and C#",
        "a | b and x || y",
        "50 % & more, AT&T; R&D",
        "👩‍👩‍👧 שלום עולם مرحبا",
        "~5 minutes ~ 6",
    ],
)
def test_what_only_looks_like_a_mark_survives(text: str) -> None:
    """Names, globs, arithmetic, placeholders and URLs are text."""
    assert plain(text, "markdown") == text


def test_code_is_kept_as_it_is() -> None:
    """Inside backticks nothing is a mark."""
    assert plain("run `rm -f *a* {{ x }} <b> _y_` now", "markdown") == "run rm -f *a* {{ x }} <b> _y_ now"


def test_plain_text_is_only_folded() -> None:
    """Plain text has no marks."""
    assert plain("# 1. *a*\n\n  | b |\t[c](d)", "plain") == "# 1. *a* | b | [c](d)"


def test_invisible_characters_do_not_split_words() -> None:
    """Soft hyphens, zero-width spaces and byte-order marks are dropped; joiners of emoji are kept."""
    assert plain("\ufeffex\u00adtra\u200bord 👩\u200d🚀", "plain") == "extraord 👩\u200d🚀"


@pytest.mark.parametrize(
    "source",
    [
        "*a ",
        "[",
        "[a]",
        "` ``",
        "<!--",
        "<a ",
        "[](([",
        "__",
        "![(",
        "> ",
        "- ",
        "](<",
        "a*",
        "|-",
        "\\",
        "{%",
        "---\n",
    ],
)
def test_hostile_input_takes_linear_time(source: str) -> None:
    """A hundred thousand marks that never close are read in a moment."""
    began = time.process_time()
    plain(source * 100_000, "markdown")
    assert time.process_time() - began < 5
