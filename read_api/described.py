"""Enums of the domain in the graph: with words on each of their values."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

import strawberry

E = TypeVar("E", bound=Enum)


def described(cls: type[E], description: str, *, name: str | None = None, **values: str) -> type[E]:
    """Puts an enum into the graph; `values` says of each what it means. Raises TypeError if one is left out."""
    strawberry.enum(cls, name=name, description=description)
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    if missing := [value.name for value in definition.values if value.name not in values]:
        raise TypeError(f"{cls.__name__} has values without a description: {', '.join(missing)}")
    for value in definition.values:
        value.description = values[value.name]
    return cls
