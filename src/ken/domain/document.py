"""Documents, the passages cut from them, and what a search returns.

Every span is a half-open pair of character offsets into the document's parsed text.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.explained import Explained
from ken.domain.reasons import Reasons

BlockKind = Literal["heading", "paragraph", "list_item", "table", "code", "quote"]
Markup = Literal["markdown", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One structural piece of a parsed document, in reading order. Blocks do not overlap."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """1 to 6 for a heading; nesting depth for a list item, 1 the outermost; else 0."""
    page: int | None = None
    """1-based page, where the format has pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a document says about itself; None where it says nothing. Dates are ISO 8601 calendar dates."""

    title: str | None = None
    owner: str | None = None
    groups: frozenset[str] | None = None
    effective: str | None = None
    review_by: str | None = None
    supersedes: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """A document's text with its structure.

    `text` of Markdown is its source without front matter, so that spans point at what the author wrote; HTML and DOCX
    become Markdown (headings, lists, pipe tables); PDF and plain text stay plain.
    """

    text: str
    blocks: tuple[Block, ...]
    markup: Markup
    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()
    """What was wrong and got mended or left out, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What made the passages of a document version, each with its own version."""

    parser: str = ""
    chunker: str = ""
    features: str = ""
    embedder: str = ""
    ken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as the home knows it, without its text."""

    id: str
    """`collection/path`, as in `handbook/people/leave.md`."""
    collection: str
    path: str
    source: str
    title: str
    version: str
    """64 hex digits: 8 for the vector space, 8 for the index configuration, 32 for the content, 16 for what its source and
    the operator's rules say of it."""
    media_type: str
    markup: Markup
    groups: frozenset[str]
    owner: str | None
    effective: str | None
    review_by: str | None
    supersedes: str | None
    superseded_by: str | None
    characters: int
    passages: int
    synced_at: float
    """Seconds since the epoch."""
    modified: str | None = None
    """When it was last changed, by itself or its source: an ISO 8601 calendar date."""
    url: str | None = None
    """Where people open it in its source."""
    lineage: Lineage = field(default_factory=Lineage)
    warnings: tuple[str, ...] = ()
    """What its parser had to mend or leave out."""

    @property
    def predecessors(self) -> tuple[str, ...]:
        """Ids that `supersedes` may stand for: a path from the collection's root, or from the document's folder."""
        if self.supersedes is None:
            return ()
        named = self.supersedes.lstrip("/")
        places = (named, posixpath.join(posixpath.dirname(self.path), named))
        return tuple(f"{self.collection}/{posixpath.normpath(place)}" for place in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A retrievable piece of a document."""

    document_id: str
    version: str
    ordinal: int
    """0-based, in reading order."""
    start: int
    end: int
    heading_path: tuple[str, ...]
    page: int | None
    text: str
    """`document.text[start:end]`, marks included."""
    tokens: int
    """Word pieces of its plain text, header included, as the embedder counts them."""
    header: str = ""
    """The header row, with its rule, of the table in whose middle the passage begins, marks included; else empty."""

    @property
    def id(self) -> str:
        """`document_id#p<ordinal>`: the fragment that opens it in the document's page."""
        return f"{self.document_id}#p{self.ordinal}"

    @property
    def shown(self) -> str:
        """What a model reads: the header row above the text."""
        return f"{self.header}\n{self.text}" if self.header else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, list item, table row or code line of a passage, as the reader may quote it."""

    start: int
    end: int
    text: str
    """Without marks, white space folded."""
    is_code: bool
    similarity: float
    """Cosine with the question, -1 to 1."""
    coverage: float
    """Share of the question's terms that it holds, each weighted by its rarity, 0 to 1."""
    page: int | None = None
    """On which it begins; its passage may begin on an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A passage found for a question, with why it was found."""

    passage: Passage
    document: Document
    relevance: float
    """Calibrated, 0 to 1."""
    lexical: float
    """BM25 score; 0 where the lexical search did not return it."""
    dense: float
    """Best cosine over the passage's vectors, -1 to 1."""
    fused: float
    """What the fusion of the lists gave: by ranks, or by scores."""
    coverage: float = 0.0
    """Share of the question's terms that the passage, its headings or title hold, each weighted by its rarity, 0 to 1."""
    matched_terms: tuple[str, ...] = ()
    """These terms, as the analyser gives them."""
    sentences: tuple[Sentence, ...] = ()
    reasons: Reasons = field(default_factory=Reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search returns: best first, and the corpus that it looked at."""

    evidence: tuple[Evidence, ...]
    corpus_version: int
    candidates: int
    """Passages that were scored before the cut."""
    terms: tuple[tuple[str, float], ...] = ()
    """The question's terms with their inverse document frequency."""
    readable: int = 0
    """Documents that the asker may read."""
    allowed: int = 0
    """Those of them that the collections asked for and the filters let through: the search looked at these."""
    timings_ms: tuple[tuple[str, float], ...] = ()
    """`embed`, `lexical`, `dense`, `fuse`, ... in the order they ran."""
    explained: Explained | None = None
    """What was done to the question before."""
    notices: tuple[str, ...] = ()
    """What people should know of how this was found, in sentences."""
