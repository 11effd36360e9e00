"""What sagas hear of other contexts: ids, numbers and codes, in their own words and their own types."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """`NAME` is stored with it and never changes."""

    NAME: ClassVar[str] = ""

    model_config = ConfigDict(frozen=True, extra="forbid")
