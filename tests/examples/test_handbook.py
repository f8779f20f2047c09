from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

EXAMPLES = Path(__file__).parents[2] / "examples"
HANDBOOK = EXAMPLES / "handbook"
DOCUMENTS = sorted(path for path in HANDBOOK.rglob("*") if path.is_file())
DESCRIBED = [path for path in DOCUMENTS if path.suffix != ".txt"]
QUESTIONS = [json.loads(line) for line in (EXAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
GOLD = [(case["id"], gold["path"], gold["evidence"]) for case in QUESTIONS for gold in case["gold"]]
OFFICE_SOURCES = sorted((EXAMPLES / "office_sources").rglob("*.md"))

REQUIRED = {"title", "owner", "effective", "review_by"}
OPTIONAL = {"groups", "supersedes"}
KINDS = {
    "lookup": 22,
    "procedure": 10,
    "paraphrase": 8,
    "exact_term": 6,
    "unanswerable": 6,
    "comparison": 5,
    "troubleshooting": 5,
    "multi_document": 4,
    "near_duplicate_pairs": 4,
    "false_premise": 3,
    "conflicting": 2,
    "followup": 2,
    "out_of_scope": 2,
    "injection": 1,
}
WITHOUT_GOLD = {"unanswerable", "out_of_scope", "injection"}


def relative(path: Path) -> str:
    return path.relative_to(HANDBOOK).as_posix()


def folded(text: str) -> str:
    return " ".join(text.split())


@cache
def description(path: Path) -> dict[str, Any]:
    """What a document says about itself; dates as ISO text, groups as a list."""
    if path.suffix == ".md":
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n", 2)[1])
        return {key: str(value) if isinstance(value, dt.date) else value for key, value in front.items()}
    if path.suffix == ".html":
        tree = LexborHTMLParser(path.read_text(encoding="utf-8"))
        named = {node.attributes["name"]: node.attributes["content"] for node in tree.css("meta[name]")}
        return with_groups(named | {"title": tree.css_first("title").text()})
    if path.suffix == ".pdf":
        info = pypdf.PdfReader(path).metadata
        return from_properties(info.title, info.author, info.keywords)
    properties = docx.Document(str(path)).core_properties
    return from_properties(properties.title, properties.author, properties.keywords)


def from_properties(title: str, owner: str, keywords: str) -> dict[str, Any]:
    pairs = (part.split(": ", 1) for part in keywords.split("; "))
    return with_groups({"title": title, "owner": owner} | dict(pairs))


def with_groups(named: dict[str, Any]) -> dict[str, Any]:
    if "groups" in named:
        named["groups"] = named["groups"].split(", ")
    return named


@cache
def text(path: Path) -> str:
    """The text of a document with white space folded: Markdown as it stands, the others as a reader sees them."""
    return folded("\n".join(blocks(path)))


def blocks(path: Path) -> Iterator[str]:
    if path.suffix == ".html":
        yield LexborHTMLParser(path.read_text(encoding="utf-8")).body.text()
    elif path.suffix == ".pdf":
        yield from (page.extract_text() for page in pypdf.PdfReader(path).pages)
    elif path.suffix == ".docx":
        document = docx.Document(str(path))
        yield from (paragraph.text for paragraph in document.paragraphs)
        yield from (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    else:
        yield path.read_text(encoding="utf-8")


def count_of(pattern: str) -> int:
    """How many Markdown documents contain the pattern."""
    return sum(
        bool(re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)) for path in HANDBOOK.rglob("*.md")
    )


def test_the_readme_states_how_many_documents_there_are_of_each_format() -> None:
    """The figures in the README are those of the folder."""
    formats = Counter(path.suffix for path in DOCUMENTS)
    stated = (
        f"{len(DOCUMENTS)} documents: {formats['.md']} Markdown, {formats['.html']} HTML, {formats['.pdf']} PDF, "
        f"{formats['.docx']} DOCX, {formats['.txt']} text"
    )
    assert stated in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_every_format_that_a_newcomer_will_try_is_there() -> None:
    """About sixty documents in five formats, in folders named for departments."""
    formats = Counter(path.suffix for path in DOCUMENTS)
    assert set(formats) == {".md", ".html", ".pdf", ".docx", ".txt"}
    assert 60 <= len(DOCUMENTS) <= 66
    assert formats[".html"] >= 6
    assert formats[".pdf"] >= 4
    assert formats[".docx"] >= 4
    assert {path.name for path in HANDBOOK.iterdir()} == {"people", "engineering", "finance", "product", "operations"}


def test_the_documents_have_the_shapes_that_chunking_must_respect() -> None:
    """Tables, numbered steps and commands are common in the Markdown documents."""
    assert count_of(r"^\|---") >= 8
    assert count_of(r"^3\. ") >= 12
    assert count_of(r"^```(bash|sql)") >= 8


def test_one_pdf_at_least_has_several_pages() -> None:
    """Page numbers in citations need a document of more than two pages."""
    assert max(len(pypdf.PdfReader(path).pages) for path in HANDBOOK.rglob("*.pdf")) >= 3


@pytest.mark.parametrize("path", DESCRIBED, ids=relative)
def test_a_document_says_its_title_owner_and_dates_in_known_keys(path: Path) -> None:
    """Every description has the required keys, no unknown ones, and is reviewed after it took effect."""
    described = description(path)
    assert set(described) >= REQUIRED
    assert set(described) <= REQUIRED | OPTIONAL
    assert described["title"]
    assert described["owner"]
    effective, review_by = (dt.date.fromisoformat(described[key]) for key in ("effective", "review_by"))
    assert dt.date(2023, 1, 1) <= effective < review_by <= dt.date(2027, 12, 31)
    assert effective <= dt.date(2026, 11, 30)


def test_titles_are_unique() -> None:
    """A citation that shows a title names one document."""
    titles = Counter(description(path)["title"] for path in DESCRIBED)
    assert [title for title, times in titles.items() if times > 1] == []


def test_a_superseding_document_is_newer_than_the_one_that_it_names() -> None:
    """Each `supersedes` names a document of the handbook that took effect earlier, and at least four do."""
    pairs = [(path, HANDBOOK / old) for path in DESCRIBED if (old := description(path).get("supersedes"))]
    assert len(pairs) >= 4
    for newer, older in pairs:
        assert older in DOCUMENTS
        assert description(older)["effective"] < description(newer)["effective"]


def test_the_readme_lists_what_was_planted() -> None:
    """Every superseded pair and every restricted document with its groups stands in the README."""
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in DESCRIBED:
        if older := description(path).get("supersedes"):
            assert f"| `{relative(path)}` | `{older}` |" in readme
        if groups := description(path).get("groups"):
            assert f"| `{relative(path)}` | {', '.join(groups)} |" in readme


def test_restricted_documents_are_enough_to_show_permissions() -> None:
    """At least eight documents name groups, and the groups are lists of words."""
    restricted = [description(path)["groups"] for path in DESCRIBED if "groups" in description(path)]
    assert len(restricted) >= 8
    assert all(
        isinstance(groups, list) and all(re.fullmatch(r"[a-z-]+", name) for name in groups) for groups in restricted
    )


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a Markdown document names an existing document."""
    for path in HANDBOOK.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).resolve() in DOCUMENTS, f"{relative(path)} links to {target}"


def test_addresses_stay_in_reserved_domains() -> None:
    """Every mail and web address ends in .example or is the reader's own machine."""
    for path in DOCUMENTS:
        for domain in re.findall(r"(?:[\w.-]+@|https?://)([\w.-]+\w)", text(path)):
            assert domain == "localhost" or domain.endswith(".example"), f"{relative(path)}: {domain}"


@pytest.mark.parametrize("source", OFFICE_SOURCES, ids=lambda path: path.stem)
def test_an_office_file_says_what_its_source_says(source: Path) -> None:
    """Each paragraph, step and table cell of the source text is in the built file, and so are title and owner."""
    target = HANDBOOK / source.relative_to(EXAMPLES / "office_sources").with_suffix("")
    _, front, body = source.read_text(encoding="utf-8").split("---\n", 2)
    assert {key: str(yaml.safe_load(front)[key]) for key in REQUIRED} == {
        key: description(target)[key] for key in REQUIRED
    }
    built = re.sub(r"Ebbstone Instruments - [^-]+ - page \d+ ?", "", text(target))
    for line in body.splitlines():
        for piece in line.strip("|").split("|"):
            words = folded(re.sub(r"^(#+|\d+\.|-) ", "", piece.strip()))
            if not re.fullmatch(r"-*", words):
                assert words in built


def test_there_are_eighty_cases_with_ids_of_their_own() -> None:
    """Eighty cases, each with a unique id and a question that no other case asks."""
    assert len(QUESTIONS) == 80
    assert len({case["id"] for case in QUESTIONS}) == 80
    assert len({case["question"] for case in QUESTIONS}) == 80


def test_every_kind_of_question_is_there() -> None:
    """The mix of kinds is the one that the evaluation reports on."""
    assert Counter(case["kind"] for case in QUESTIONS) == KINDS


@pytest.mark.parametrize("case", QUESTIONS, ids=lambda case: case["id"])
def test_a_case_has_the_form_that_its_kind_asks_for(case: dict[str, Any]) -> None:
    """Answerable kinds have gold and facts, the others have neither; follow-ups have a history, pairs a partner."""
    keys = {"id", "question", "kind", "collection", "gold", "facts", "answer"}
    extra = {"followup": {"history"}, "near_duplicate_pairs": {"pair"}}.get(case["kind"], set())
    assert set(case) == keys | extra
    assert case["collection"] in {"handbook", "all"}
    assert bool(case["gold"]) == bool(case["facts"]) == (case["kind"] not in WITHOUT_GOLD)
    assert case["answer"]
    for turn in case.get("history", []):
        assert set(turn) == {"user", "assistant"}


def test_pairs_name_each_other() -> None:
    """Of two near duplicates, each names the other, and their facts differ."""
    by_id = {case["id"]: case for case in QUESTIONS}
    for case in QUESTIONS:
        if pair := case.get("pair"):
            assert by_id[pair]["pair"] == case["id"]
            assert by_id[pair]["facts"] != case["facts"]


@pytest.mark.parametrize(("case", "path", "evidence"), GOLD)
def test_evidence_stands_in_the_document_word_for_word(case: str, path: str, evidence: str) -> None:
    """What a case calls evidence is in the file that it names, white space folded."""
    assert folded(evidence) in text(EXAMPLES / path), f"{case}: not in {path}"


@pytest.mark.parametrize("case", [case for case in QUESTIONS if case["kind"] == "lookup"], ids=lambda case: case["id"])
def test_the_facts_of_a_lookup_are_words_of_its_document(case: dict[str, Any]) -> None:
    """A lookup can be scored by looking for its facts, which are taken from the document as they stand."""
    source = re.sub(r"[*`]", "", " ".join(text(EXAMPLES / gold["path"]) for gold in case["gold"]))
    for fact in case["facts"]:
        assert fact in source


def test_no_case_rests_on_a_restricted_document() -> None:
    """Anyone who may read the open documents can be asked every question."""
    assert [case for case, path, _ in GOLD if "groups" in described_or_nothing(EXAMPLES / path)] == []


def described_or_nothing(path: Path) -> dict[str, Any]:
    return {} if path.suffix == ".txt" else description(path)


def test_a_question_on_several_documents_names_several() -> None:
    """Multi-document and conflicting cases have gold in at least two files."""
    for case in QUESTIONS:
        if case["kind"] in {"multi_document", "conflicting"}:
            assert len({gold["path"] for gold in case["gold"]}) >= 2, case["id"]
