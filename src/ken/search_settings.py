"""The `[search]` table of ken.toml: how documents are cut and how they are searched."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ken.knowledge.options import SearchOptions


class SearchSettings(BaseModel):
    """Each default is that of the part it sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: int = Field(default=SearchOptions().depth, ge=10, le=1000)
    fusion_k: int = Field(default=SearchOptions().fusion_k, ge=1, le=1000)
    lexical_weight: float = Field(default=SearchOptions().lexical_weight, ge=0, le=10)
    dense_weight: float = Field(default=SearchOptions().dense_weight, ge=0, le=10)
    sentence_weight: float = Field(default=SearchOptions().sentence_weight, ge=0, le=10)
    rescored: int = Field(default=SearchOptions().rescored, ge=10, le=1000)

    @property
    def options(self) -> SearchOptions:
        """What the search is given."""
        return SearchOptions(
            depth=self.depth,
            fusion_k=self.fusion_k,
            lexical_weight=self.lexical_weight,
            dense_weight=self.dense_weight,
            sentence_weight=self.sentence_weight,
            rescored=self.rescored,
        )
