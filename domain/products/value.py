"""Words and limits of the catalogue and the warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from domain.ids import VariantId
from domain.value import MAX_QUANTITY, Line, Note, Value

MAX_VARIANTS: Final = 100
MAX_LINES: Final = 100
MAX_CATEGORIES: Final = 2_000
MAX_DEPTH: Final = 8

Title = Line
Description = Note
CategoryName = Line
OptionName = Line
OptionNames = Annotated[tuple[OptionName, ...], Field(max_length=5)]
OptionValues = dict[OptionName, Line]
"""Option -> this variant's value: `{"size": "M"}`."""

Attributes = Annotated[dict[Line, Line], Field(max_length=50)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Level = Annotated[int, Field(ge=0, le=MAX_QUANTITY)]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]


class Image(Value):
    """`alt` is what is said where it cannot be seen."""

    url: Url
    alt: Line | None = None


Images = Annotated[tuple[Image, ...], Field(max_length=20)]


class ReservedLine(Value):
    variant_id: VariantId
    quantity: Quantity


class ReturnedLine(Value):
    """So many of a variant came back and can be sold again."""

    variant_id: VariantId
    quantity: Quantity


def quantities(lines: Iterable[ReservedLine | ReturnedLine]) -> dict[VariantId, int]:
    """Variant -> how many, in the order of the lines: a variant on two lines counts once, with both quantities."""
    summed: dict[VariantId, int] = {}
    for line in lines:
        summed[line.variant_id] = summed.get(line.variant_id, 0) + line.quantity
    return summed


class AdjustReason(StrEnum):
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    FOUND = "FOUND"
    RETURNED = "RETURNED"
    CORRECTED = "CORRECTED"
