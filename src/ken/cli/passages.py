"""Passages as a search found them, drawn for a terminal: five of them with all their reasons fit on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text

from ken.domain.document import Evidence, SearchResult, Sentence
from ken.domain.explained import Explained
from ken.text.normalise import printable
from ken.text.tokens import terms, words

_HEAD = 10
"""Cells before the text: the number and the relevance."""
_MOST_TERMS = 8
_SNIPPET_LINES = 2


def drawn(found: SearchResult, *, width: int, explain: bool) -> Iterator[Text]:
    """Each passage: its place and the sentence that comes nearest; with its scores and reasons where asked for."""
    for number, evidence in enumerate(found.evidence, start=1):
        if explain:
            yield from _with_reasons(number, evidence, found, width)
        else:
            yield from _plain(number, evidence, width)


def explained(found: SearchResult) -> list[Text]:
    """How many documents and passages were looked at, how long it took, and what the question became."""
    among = f"{found.allowed:,} of {found.readable:,}" if found.allowed != found.readable else f"{found.readable:,}"
    facts = [f"{among} documents", f"{found.candidates:,} candidates", f"corpus version {found.corpus_version}"]
    timings = ", ".join(f"{name} {ms:.1f}" for name, ms in found.timings_ms)
    lines = [Text(" · ".join(facts), style="dim"), Text(f"{timings} ms" if timings else "", style="dim")]
    if found.explained is not None:
        lines += [Text(line) for line in _question(found.explained)]
    rare = sorted(found.terms, key=lambda pair: -pair[1])[:_MOST_TERMS]
    if rare:
        lines.append(Text(f"rarity: {_listed(rare, _written(found))}", style="dim"))
    return [line for line in lines if line.plain]


def _question(told: Explained) -> Iterator[str]:
    for one in told.corrections:
        yield printable(f"searched for “{one.searched}” instead of “{one.written}”")
    for one in told.expansions:
        where = f" ({one.source})" if one.source else ""
        yield printable(f"{one.why}: {one.word} = {', '.join(one.others)}{where}")
    for one in told.ambiguous:
        yield printable(f"stands for several things: {one.word} = {', '.join(one.meanings)}")
    for number, part in enumerate(told.parts, start=1):
        yield printable(f"part {number}: {part}")
    if told.feedback:
        yield printable(f"added by the first passages: {', '.join(told.feedback)}")


def _plain(number: int, evidence: Evidence, width: int) -> Iterator[Text]:
    passage = evidence.passage
    page = f", page {passage.page}" if passage.page is not None else ""
    yield _headed(number, evidence, printable(_title(evidence)))
    yield Text(" " * _HEAD + printable(f"{passage.id}{page}"), style="dim")
    for line in _broken(f"“{_best(evidence)}”", width - _HEAD, lines=_SNIPPET_LINES):
        yield Text(" " * _HEAD + line)


def _with_reasons(number: int, evidence: Evidence, found: SearchResult, width: int) -> Iterator[Text]:
    passage, reasons = evidence.passage, evidence.reasons
    page = f" p. {passage.page}" if passage.page is not None else ""
    place = printable(f"{passage.id}{page}")
    room = max(12, width - _HEAD - cell_len(place) - 2)
    head = Text(printable(_title(evidence)))
    head.truncate(room, overflow="ellipsis")
    line = _headed(number, evidence, head.plain)
    line.append(f"  {place}", style="dim")
    yield line
    ranks = dict(reasons.ranks)
    scores = [
        f"{name} {score:.{digits}f}{f' #{ranks[rank]}' if rank in ranks else ''}"
        for name, rank, score, digits in (
            ("BM25", "lexical", evidence.lexical, 1),
            ("dense", "dense", evidence.dense, 2),
            ("sentence", "sentence", reasons.sentence, 2),
            ("words", "", reasons.interaction, 2),
            ("fused", "", evidence.fused, 3),
        )
    ]
    reranked = f"rerank {reasons.rerank:.2f}, " if reasons.rerank is not None else ""
    yield Text(" " * _HEAD + "  ".join(scores), style="cyan")
    written = _written(found)
    lacking = [written.get(term, term) for term, _ in found.terms if term not in evidence.matched_terms]
    held = _listed(reasons.terms[:_MOST_TERMS], written) or "none of the question's words"
    without = f"; not {', '.join(lacking)}" if lacking else ""
    yield Text(" " * _HEAD + printable(f"{reranked}holds {held}{without}"))
    for piece in _broken(f"“{_best(evidence)}”", width - _HEAD, lines=1):
        yield Text(" " * _HEAD + piece, style="dim")


def _headed(number: int, evidence: Evidence, title: str) -> Text:
    style = "green" if evidence.relevance >= 0.5 else "yellow" if evidence.relevance >= 0.1 else "red"  # noqa: PLR2004
    return Text.assemble(f"{number:>3}  ", (f"{evidence.relevance:.2f}", style), " ", (title, "bold"))


def _title(evidence: Evidence) -> str:
    path = [part for part in evidence.passage.heading_path if part != evidence.document.title]
    return " > ".join([evidence.document.title, *path])


def _best(evidence: Evidence) -> str:
    """The sentence that is nearest to the question; the passage's beginning where it has none."""

    def nearness(sentence: Sentence) -> float:
        return sentence.similarity + sentence.coverage

    if not evidence.sentences:
        return printable(evidence.passage.text)
    return printable(max(evidence.sentences, key=nearness).text)


def _listed(pairs: Sequence[tuple[str, float]], written: Mapping[str, str]) -> str:
    return ", ".join(f"{written.get(term, term)} {score:.1f}" for term, score in pairs)


def _written(found: SearchResult) -> dict[str, str]:
    """The question's words by the terms that the analyser makes of them."""
    return {
        term: word.lower()
        for word in words(found.explained.searched if found.explained else "")
        for term in terms(word)
    }


def _broken(text: str, width: int, *, lines: int) -> list[str]:
    """The text in at most so many lines of so many cells."""
    found: list[str] = []
    rest = Text(text)
    while rest.plain and len(found) < lines - 1 and rest.cell_len > width:
        head = rest.copy()
        head.truncate(width)
        at = head.plain.rfind(" ")
        at = at if at > 0 else len(head.plain)
        found.append(rest.plain[:at])
        rest = Text(rest.plain[at:].lstrip())
    rest.truncate(width, overflow="ellipsis")
    return [*found, rest.plain]
