"""Whatever a topic repeats, reorders or loses, the inbox gives each slice in order or names the gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from infra.kafka.inbox import Inbox
from infra.kafka.message import Header
from projections.checkpoint import Checkpoint

INCARNATION: Final = UUID(int=1)
SLICES_USED: Final = 5
ID: Final = str(UUID(int=7)).encode()


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


def message(
    slice: int, position: int, previous: int, *, offset: int = 0, partition: int = 0, value: bytes | None = b"{}",
    incarnation: UUID = INCARNATION,
) -> Message:  # fmt: skip
    headers = {
        "incarnation": str(incarnation).encode(),
        "slice": b"%d" % slice,
        "position": b"%d" % position,
        "previous": b"%d" % previous,
        "ce_id": ID,
        "ce_subject": ID,
        "ce_type": b"orders.order-placed",
        "ce_time": b"2026-01-02T03:04:05.000006Z",
        "event-version": b"1",
    }
    return Message("t", partition, offset, ID, value, list(headers.items()))


def log_of(slices: Sequence[int]) -> list[tuple[int, int, int]]:
    """(slice, position, previous) of a log whose events have these slices."""
    lasts = dict.fromkeys(range(SLICES_USED), 0)
    events = []
    for position, slice in enumerate(slices, 1):
        events.append((slice, position, lasts[slice]))
        lasts[slice] = position
    return events


def start() -> Checkpoint:
    return Checkpoint(INCARNATION)


def moved(checkpoint: Checkpoint, slices: dict[int, int]) -> Checkpoint:
    return Checkpoint(INCARNATION, 0, {**checkpoint.slices, **slices})


@given(st.lists(st.integers(0, SLICES_USED - 1), max_size=40), st.randoms(use_true_random=False), st.integers(1, 7))
def test_every_slice_comes_whole_and_in_order(slices: list[int], dice: Random, limit: int) -> None:
    log = log_of(slices)
    sent = [event for event in log if dice.random() < 0.8] + [dice.choice(log) for _ in log]
    seen = set(sent)
    dice.shuffle(sent)
    inbox, checkpoint = Inbox(), start()
    applied: dict[int, list[int]] = {slice: [] for slice in range(SLICES_USED)}
    offset = 0
    while sent or inbox.gaps(checkpoint) or inbox.take(checkpoint, 1):
        arriving = [sent.pop() for _ in range(min(len(sent), dice.randrange(4)))]
        batch = []
        for slice, position, previous in arriving:
            lost = b"{}" if dice.random() < 0.9 else None
            batch.append(message(slice, position, previous, offset=offset, partition=slice % 2, value=lost))
            offset += 1
        assert inbox.put(batch, checkpoint) == set()
        inbox.settle(checkpoint)
        if gaps := inbox.gaps(checkpoint):
            done = {s: [p for o, p, _ in log if o == s and checkpoint.of(s) < p <= upto] for s, upto in gaps.items()}
            assert all(done.values()), "a gap is never empty"
        else:
            taken = inbox.take(checkpoint, limit)
            assert len(taken) <= limit
            done = {}
            for slice, event in taken:
                done.setdefault(slice, []).append(event.position)
        for slice, positions in done.items():
            applied[slice] += positions
        checkpoint = moved(checkpoint, {slice: positions[-1] for slice, positions in done.items()})
    inbox.settle(checkpoint)
    assert inbox.held == inbox.bytes == 0
    for slice, positions in applied.items():
        assert positions == [p for o, p, _ in log if o == slice][: len(positions)]
        assert len(positions) >= sum(s == slice for s, _, _ in seen)


def test_offsets_are_committed_up_to_the_first_message_that_is_not_applied() -> None:
    inbox, checkpoint = Inbox(), start()
    inbox.put([message(1, 1, 0, offset=10), message(2, 2, 0, offset=11), message(1, 3, 1, offset=12)], checkpoint)
    inbox.settle(moved(checkpoint, {1: 3}))
    assert inbox.offsets() == {0: 11}
    inbox.settle(moved(checkpoint, {1: 3, 2: 2}))
    assert inbox.offsets() == {0: 13}
    assert inbox.offsets() == {}


def test_partitions_that_went_to_another_worker_are_forgotten() -> None:
    inbox, checkpoint = Inbox(), start()
    inbox.put([message(1, 1, 0, partition=0), message(2, 2, 0, partition=1)], checkpoint)
    inbox.forget({0})
    assert [slice for slice, _ in inbox.take(checkpoint, 10)] == [2]
    inbox.settle(moved(checkpoint, {1: 1, 2: 2}))
    assert inbox.offsets() == {1: 1}


def test_another_incarnation_is_named_and_nothing_of_it_is_kept() -> None:
    inbox, checkpoint, other = Inbox(), start(), uuid4()
    assert inbox.put([message(1, 1, 0, incarnation=other), message(1, 2, 0)], checkpoint) == {other}
    assert [event.position for _, event in inbox.take(checkpoint, 10)] == [2]


def test_a_message_that_is_none_of_ours_is_passed_over() -> None:
    inbox, checkpoint = Inbox(), start()
    assert inbox.put([Message("t", 0, 5, None, b"hello", [])], checkpoint) == set()
    inbox.settle(checkpoint)
    assert inbox.take(checkpoint, 10) == []
    assert inbox.offsets() == {0: 6}


def test_an_event_that_only_the_log_has_is_asked_for_when_its_turn_comes() -> None:
    inbox, checkpoint = Inbox(), start()
    inbox.put([message(1, 1, 0), message(1, 2, 1, value=None), message(1, 3, 2)], checkpoint)
    assert inbox.gaps(checkpoint) == {}
    assert [event.position for _, event in inbox.take(checkpoint, 10)] == [1]
    checkpoint = moved(checkpoint, {1: 1})
    inbox.settle(checkpoint)
    assert inbox.gaps(checkpoint) == {1: 2}


def test_a_malformed_message_in_its_place_is_read_from_the_log() -> None:
    inbox, checkpoint = Inbox(), start()
    broken = message(1, 1, 0)
    headers = [(name, value) for name, value in broken.headers if name != "ce_subject"]
    inbox.put([Message("t", 0, 0, ID, b"{}", headers)], checkpoint)
    assert inbox.gaps(checkpoint) == {1: 1}
