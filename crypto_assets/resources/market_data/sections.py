"""What a section of `currencies.toml` may say: patterns of a currency's files, and its choices.

Loaded only where there is such a file. What is done with the sections is in `overrides`; when a
currency is late is no choice of its tables, but of those who watch them (`freshness`).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from crypto_assets.spark.market_data.currency import Choices


class Section(BaseModel):
    """What a section may say: `history` and `trend` are patterns, matched to keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    history: str | None = None
    trend: str | None = None
    names: tuple[str, ...] = Field(default=(), strict=False)  # TOML has lists
    max_shrink: float = Field(default=0.2, ge=0, le=1)
    late_after_days: int | None = Field(default=None, ge=1)

    @property
    def choices(self) -> dict[str, Any]:
        """The choices that this section names."""
        others = {"history", "trend", "late_after_days"}
        return self.model_dump(exclude=others, exclude_unset=True)


_OTHERS: dict[str, Any] = {
    each.name: (get_type_hints(Choices)[each.name], each.default)
    for each in fields(Choices)
    if each.name not in Section.model_fields
}
Override = create_model("Override", __base__=Section, **_OTHERS)
