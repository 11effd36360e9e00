"""Many orders' histories, mixed as a log mixes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hypothesis import strategies as st

from domain.event import Event
from domain.ids import derive
from tests.domain.orders.samples import WAYS_TO
from tests.specification import Make

STORIES: list[tuple[Make, ...]] = [tuple(story) for story in WAYS_TO.values()]


def order_id(number: int) -> UUID:
    return derive("test order", str(number))


def told(story: Sequence[Make], id: UUID) -> list[Event]:
    return [make(id, version) for version, make in enumerate(story, 1)]


def mixed(turns: Sequence[int], stories: Sequence[Sequence[Make]], *, first: int = 0) -> list[Event]:
    """One event of the order whose turn it is, until its story is told; then what is left of the others."""
    left = [told(story, order_id(n)) for n, story in enumerate(stories, first)]
    taken = [left[turn % len(left)].pop(0) for turn in turns if left[turn % len(left)]]
    return taken + [event for rest in left for event in rest]


logs = st.builds(
    mixed, st.lists(st.integers(0, 7), max_size=30), st.lists(st.sampled_from(STORIES), min_size=1, max_size=8)
)
"""The events of one to eight orders, each order's own in order."""
