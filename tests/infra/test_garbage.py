"""The collector keeps out of the way of a batch that is being built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from infra import garbage
from infra.event_log.mapper import EventMapper
from projections.build import BATCH
from tests.golden.corpus import samples_of
from tests.infra.stored import SameKey


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """The generation of each collection from now on."""
    found: list[int] = []

    def note(phase: str, about: dict[str, Any]) -> None:
        if phase == "start":
            found.append(about["generation"])

    before = gc.get_threshold()
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)
    gc.set_threshold(*before)
    gc.unfreeze()


def test_the_events_of_a_batch_are_not_looked_through_while_they_are_needed(collections: list[int]) -> None:
    sample = next(s for s in samples_of("orders") if s.topic == "orders.order-placed")
    mapper = EventMapper(SameKey())
    stored = mapper.encode(sample.event)
    garbage.settle(garbage.BATCHES)
    collections.clear()
    batch = [
        mapper.decode(sample.event.originator_id, sample.event.originator_version, sample.topic, stored)
        for _ in range(BATCH)
    ]
    assert len(batch) == BATCH
    assert not collections
