"""Whatever is done in whatever order: stock is never negative and never over-reserved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import DomainError
from domain.event import Event
from domain.ids import ReservationId, ReturnId, VariantId
from domain.products import CONTEXT, reservation, restock, stock
from domain.products.events import (
    StockAdjusted,
    StockCameBack,
    StockClosed,
    StockCommitted,
    StockCounted,
    StockRanOut,
    StockReceived,
    StockReturned,
)
from domain.products.stock import Stock, StockStatus
from domain.products.value import AdjustReason, ReturnedLine
from tests.domain.products.histories import LARGE, MUG, ORDER, SHIRT, SMALL, line, named
from tests.specification import AT

VARIANTS = [MUG, SMALL, LARGE]
RESERVATIONS = [ReservationId(named(f"reservation {n}")) for n in range(8)]
RETURNS = [ReturnId(named(f"return {n}")) for n in range(3)]
quantities = st.integers(1, 6)
variants = st.sampled_from(VARIANTS)
reservations = st.sampled_from(RESERVATIONS)
CROSSINGS: dict[type[Event], StockStatus] = {
    StockRanOut: StockStatus.OUT_OF_STOCK,
    StockCameBack: StockStatus.IN_STOCK,
}


class Warehouse(RuleBasedStateMachine):
    """Three stocks and the reservations over them. `told` is what somebody believes who hears only of the crossings."""

    def __init__(self) -> None:
        super().__init__()
        opened = (stock.open_stock(v, SHIRT, at=AT) for v in VARIANTS)
        self.states = {e.originator_id: CONTEXT.evolve(None, e) for e in opened}
        self.told = dict.fromkeys(VARIANTS, StockStatus.OUT_OF_STOCK)
        self.counted = dict.fromkeys(VARIANTS, 0)  # what a clerk has on the shelf who notes each movement

    def find(self, id: VariantId) -> Stock:
        found: Stock = self.states[id]
        return found

    def attempt(self, decide: Callable[[], list[Event]]) -> None:
        """All of a decision's events, or a refusal and nothing."""
        with suppress(DomainError):
            for event in decide():
                assert event.originator_version == getattr(self.states.get(event.originator_id), "version", 0) + 1
                self.states[event.originator_id] = CONTEXT.evolve(self.states.get(event.originator_id), event)
                self.listen(event)
                self.note(event)

    def listen(self, event: Event) -> None:
        heard = CROSSINGS.get(type(event))
        if heard:
            assert self.told[VariantId(event.originator_id)] is not heard, "told twice"
            self.told[VariantId(event.originator_id)] = heard

    def note(self, event: Event) -> None:
        variant = VariantId(event.originator_id)
        match event:
            case StockReceived() | StockReturned():
                self.counted[variant] += event.quantity
            case StockCommitted():
                self.counted[variant] -= event.quantity
            case StockAdjusted():
                self.counted[variant] += event.change
            case StockCounted():
                assert event.expected == self.counted[variant]
                self.counted[variant] = event.counted
            case StockClosed():
                assert event.written_off == self.counted[variant]
                self.counted[variant] = 0

    @rule(variant=variants, quantity=quantities)
    def receive(self, variant: VariantId, quantity: int) -> None:
        self.attempt(lambda: [*stock.receive(self.find(variant), quantity, at=AT)])

    @rule(variant=variants, change=st.integers(-6, 6))
    def adjust(self, variant: VariantId, change: int) -> None:
        self.attempt(lambda: [*stock.adjust(self.find(variant), change, AdjustReason.CORRECTED, at=AT)])

    @rule(variant=variants, counted=st.integers(0, 10))
    def count(self, variant: VariantId, counted: int) -> None:
        self.attempt(lambda: [*stock.count(self.find(variant), counted, at=AT)])

    @rule(variant=variants, threshold=st.integers(0, 5))
    def set_threshold(self, variant: VariantId, threshold: int) -> None:
        self.attempt(lambda: [*stock.set_threshold(self.find(variant), threshold, at=AT)])

    @rule(id=reservations, asked=st.lists(st.tuples(variants, quantities), min_size=1, max_size=5))
    def hold(self, id: ReservationId, asked: list[tuple[VariantId, int]]) -> None:
        if id not in self.states:
            lines = reservation.summed(line(v, n) for v, n in asked)
            self.attempt(lambda: reservation.hold(id, ORDER, lines, self.find, at=AT))

    @rule(id=reservations, decision=st.sampled_from([reservation.commit, reservation.release, reservation.put_back]))
    def end(self, id: ReservationId, decision: Callable[..., list[Event]]) -> None:
        if id in self.states:
            self.attempt(lambda: decision(self.states[id], self.find, at=AT))

    @rule(id=st.sampled_from(RETURNS), returned=st.lists(st.tuples(variants, quantities), min_size=1, max_size=3))
    def restock(self, id: ReturnId, returned: list[tuple[VariantId, int]]) -> None:
        lines = [ReturnedLine(variant_id=v, quantity=n) for v, n in returned]
        present = self.states.get(restock.restock_of(ORDER, id))
        self.attempt(lambda: restock.restock(present, ORDER, id, lines, self.find, at=AT))

    @rule()
    def close(self) -> None:
        """One of them only: the story goes on with the others."""
        self.attempt(lambda: [stock.close(self.find(LARGE), at=AT)])

    @invariant()
    def each_unit_on_hand_came_in_and_did_not_leave(self) -> None:
        assert {v: self.find(v).on_hand for v in VARIANTS} == self.counted

    @invariant()
    def nothing_is_negative_or_held_twice(self) -> None:
        for v in VARIANTS:
            assert 0 <= self.find(v).reserved <= self.find(v).on_hand

    @invariant()
    def what_is_reserved_is_what_open_reservations_hold(self) -> None:
        open_ones = [self.states[r] for r in RESERVATIONS if r in self.states]
        held = [x for r in open_ones if r.status is reservation.ReservationStatus.HELD for x in r.lines]
        for v in VARIANTS:
            quantity = sum(x.quantity for x in held if x.variant_id == v)
            assert quantity == self.find(v).reserved == sum(h.quantity for h in self.find(v).holds.values())

    @invariant()
    def who_hears_the_crossings_knows_whether_there_is_any(self) -> None:
        for v in VARIANTS:
            if not self.find(v).closed:
                assert (self.told[v] is StockStatus.OUT_OF_STOCK) == (self.find(v).available == 0)


TestWarehouse = Warehouse.TestCase
