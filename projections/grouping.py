"""Rows of many owners, brought by one statement, handed out to each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def grouped(owners: Sequence[K], rows: Iterable[V], owner_of: Callable[[V], K | None]) -> list[list[V]]:
    """In the order of the owners; each one's rows in the order in which they came."""
    found: dict[K | None, list[V]] = {owner: [] for owner in owners}
    for row in rows:
        if (those := found.get(owner_of(row))) is not None:
            those.append(row)
    return [found[owner] for owner in owners]
