"""The `[search]` table of ken.toml: how documents are cut and how they are searched."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ken.errors import InvalidInput
from ken.knowledge.chunkers.chunker import LEAST_TOKENS, MOST_TOKENS, ChunkerName, Chunking
from ken.knowledge.options import Fusion, SearchOptions
from ken.text.tokens import terms


class SearchSettings(BaseModel):
    """Each default is that of the part it sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chunker: ChunkerName = Chunking().chunker
    chunk_tokens: int = Field(default=Chunking().target_tokens, ge=LEAST_TOKENS, le=MOST_TOKENS)
    chunk_overlap: float | None = None
    """None is the chunker's usual one."""
    prefix: bool = Chunking().prefix
    depth: int = Field(default=SearchOptions().depth, ge=10, le=1000)
    fusion: Fusion = SearchOptions().fusion
    fusion_k: int = Field(default=SearchOptions().fusion_k, ge=1, le=1000)
    lexical_weight: float = Field(default=SearchOptions().lexical_weight, ge=0, le=10)
    dense_weight: float = Field(default=SearchOptions().dense_weight, ge=0, le=10)
    sentence_weight: float = Field(default=SearchOptions().sentence_weight, ge=0, le=10)
    rescored: int = Field(default=SearchOptions().rescored, ge=10, le=1000)
    spelling: bool = SearchOptions().spelling
    acronyms: bool = SearchOptions().acronyms
    names: bool = SearchOptions().names
    synonyms: tuple[tuple[str, ...], ...] = SearchOptions().synonyms
    compound: bool = SearchOptions().compound
    feedback: int = Field(default=SearchOptions().feedback, ge=0, le=20)
    ask_back: bool = False
    """Whether a question that the documents answer in more than one way is answered with a question back."""
    reread: int = Field(default=0, ge=0, le=200)
    """The best passages that are read anew with the question, word by word, and put in order by that; 0 for none. A
    `[reranker]` table takes its place."""
    confirmed: bool = False
    """Whether a question near one whose answer was found helpful has that answer's passages first."""

    @model_validator(mode="after")
    def _can_be_cut(self) -> Self:
        try:
            _ = self.chunking
        except InvalidInput as error:
            raise ValueError(str(error).rstrip(".")) from error
        return self

    @field_validator("synonyms")
    @classmethod
    def _mean_the_same(cls, synonyms: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for same in synonyms:
            if len(same) < 2 or not all(terms(word) for word in same):  # noqa: PLR2004 - one word means what it means
                raise ValueError(f"each list names two words or more that mean the same, and {list(same)} does not")
        return synonyms

    @property
    def chunking(self) -> Chunking:
        """How documents are cut."""
        return Chunking.sized(self.chunker, tokens=self.chunk_tokens, overlap=self.chunk_overlap, prefix=self.prefix)

    @property
    def told(self) -> str:
        """What a release says of it."""
        return f"{self.options} ask_back={self.ask_back} confirmed={self.confirmed} reread={self.reread}"

    @property
    def options(self) -> SearchOptions:
        """What the search is given."""
        return SearchOptions(
            depth=self.depth,
            fusion=self.fusion,
            fusion_k=self.fusion_k,
            lexical_weight=self.lexical_weight,
            dense_weight=self.dense_weight,
            sentence_weight=self.sentence_weight,
            rescored=self.rescored,
            spelling=self.spelling,
            acronyms=self.acronyms,
            names=self.names,
            synonyms=self.synonyms,
            compound=self.compound,
            feedback=self.feedback,
        )
