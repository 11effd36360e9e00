"""Every process there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from domain.event import Event
from sagas.cancellation.react import cancellation
from sagas.checkout.react import checkout
from sagas.process import Hearing, Process
from sagas.returning.react import returning

PROCESSES: Final[Mapping[str, Process]] = {each.name: each for each in (checkout, cancellation, returning)}


def hearings(processes: Mapping[str, Process], event: type[Event]) -> Iterator[Hearing]:
    """All that is heard of events of this type."""
    for process in processes.values():
        yield from process.hearings.get(event, ())
