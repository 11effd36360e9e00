"""Every history in every order: what the contexts say comes mixed, twice and late; commands die half-way; time jumps;
the gateway fails; customers cancel, return and pay when they like. In the end money and goods are where they belong.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from domain.ids import OrderId
from domain.orders.order import Status
from domain.value import PaymentMethod
from infra.embedded import EmbeddedPostgres
from infra.gateway.faults import Fault
from infra.gateway.memory import MemoryGateway
from tests import full
from tests.conftest import fresh_database
from tests.sagas.balance import assert_balanced, stock_adds_up
from tests.sagas.logged import LoggedWorld
from tests.sagas.world import ANN, BEGAN, OURS, World

CARDS = [
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_captureFail",
    "pm_card_holdsBriefly",
    "pm_card_pendingRefund",
]
FAULTS = [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.RATE_LIMITED, Fault.ERROR_AFTER, Fault.CUT]
PLACES = ["orders", "payments"]
STOCK = 6
SUITE = "sagas"
n = st.integers(0, 20)


class Shop(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self.world = self.opened()
        self.world.gateway = MemoryGateway(lambda: BEGAN, lambda _: self.faults.pop() if self.faults else None)
        self.orders: list[OrderId] = []

    def opened(self) -> World:
        return World(stock=STOCK)

    def order(self, which: int) -> OrderId:
        return self.orders[which % len(self.orders)]

    # -- customers

    @precondition(lambda self: len(self.orders) < 4)
    @rule(card=st.sampled_from(CARDS), quantity=st.integers(1, 2))
    def order_by_card(self, card: str, quantity: int) -> None:
        self.orders.append(self.world.place(card, quantity=quantity))

    @precondition(lambda self: len(self.orders) < 4)
    @rule(token=st.sampled_from([None, "pm_bankTransfer"]))
    def order_by_transfer(self, token: str | None) -> None:
        self.orders.append(self.world.place(token, PaymentMethod.BANK_TRANSFER))

    @precondition(lambda self: self.orders)
    @rule(which=n)
    def cancel(self, which: int) -> None:
        self.world.post(f"/v1/orders/{self.order(which)}/cancel", {}, ANN)

    @precondition(lambda self: self.orders)
    @rule(which=n, succeed=st.booleans())
    def pay(self, which: int, succeed: bool) -> None:
        """At the gateway's page, or at the bank."""
        order = self.order(which)
        payment = self.world.payment_of(order)
        if payment is None or payment.attempts[-1].reference is None:
            return
        intent = self.world.gateway._attempts[payment.attempts[-1].reference].intent
        if intent.status.name == "ACTION_REQUIRED":
            self.world.customer_acts(order, succeed=succeed)
        elif intent.status.name == "PENDING" and succeed:
            self.world.money_arrives(order)

    @precondition(lambda self: self.orders)
    @rule(which=n, line=st.integers(1, 2))
    def ship_deliver_return(self, which: int, line: int) -> None:
        order = self.order(which)
        if self.world.order(order).status is Status.CONFIRMED:
            self.world.post(f"/v1/orders/{order}/ship", {"carrier": "DHL"}, OURS)
            self.world.post(f"/v1/orders/{order}/deliver", {}, OURS)
        elif self.world.order(order).status is Status.DELIVERED:
            body = {"lines": [{"line": line, "quantity": 1}], "restock": True, "note": "too blue"}
            self.world.post(f"/v1/orders/{order}/return", body, OURS)

    # -- what carries things about

    @rule(context=st.sampled_from(PLACES), times=st.integers(1, 4))
    def deliver(self, context: str, times: int) -> None:
        for _ in range(times):
            self.world.deliver(context)

    @rule(context=st.sampled_from(PLACES), which=n)
    def deliver_again(self, context: str, which: int) -> None:
        self.world.deliver_again(context, which)

    @rule(which=n, dies=st.booleans())
    def send(self, which: int, dies: bool) -> None:
        self.world.send(which, dies=dies)

    @rule(which=n, dies=st.booleans())
    def ask_gateway(self, which: int, dies: bool) -> None:
        self.world.ask_gateway(which, dies=dies)

    @rule(which=n, again=st.booleans())
    def hear_hook(self, which: int, again: bool) -> None:
        self.world.hear_hook(which, again=again)

    @rule(which=n)
    def lose_hook(self, which: int) -> None:
        if self.world.hooks:
            self.world.lost.append(self.world.hooks.pop(which % len(self.world.hooks)))

    @rule(fault=st.sampled_from(FAULTS))
    def fail(self, fault: Fault) -> None:
        self.faults.append(fault)

    @rule(minutes=st.sampled_from([1, 16, 31, 60 * 24 * 4]))
    def time_jumps(self, minutes: int) -> None:
        self.world.pass_time(timedelta(minutes=minutes))

    @rule()
    def ring(self) -> None:
        self.world.ring()

    # -- always

    @invariant()
    def nothing_is_oversold(self) -> None:
        stock_adds_up(self.world.shelf)

    @invariant()
    def no_customer_is_charged_more_than_once(self) -> None:
        for order in self.orders:
            payment = self.world.payment_of(order)
            assert payment is None or payment.paid <= payment.due

    def teardown(self) -> None:
        self.faults.clear()
        self.world.settle()
        assert_balanced(self.world)


def sizes(examples: tuple[int, int]) -> settings:
    """Small and full number of examples."""
    return settings(
        max_examples=full.size(*examples, suite=SUITE),
        stateful_step_count=full.size(50, 80, suite=SUITE),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


TestShop = pytest.mark.full(SUITE)(pytest.mark.timeout(1_200)(seed(full.seed())(Shop).TestCase))
TestShop.settings = sizes((60, 2_000))


class LoggedShop(Shop):
    """The same over the real write loops and logs, two of each."""

    def __init__(self, fresh: Callable[[], AbstractContextManager[str]]) -> None:
        self._database = fresh()
        self._conninfo = self._database.__enter__()
        super().__init__()

    def opened(self) -> World:
        self._logged = LoggedWorld(stock=STOCK, conninfo=self._conninfo)
        return self._logged

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self._logged.close()
            self._database.__exit__(None, None, None)


@pytest.mark.full(SUITE)
@pytest.mark.timeout(1_700)
def test_the_same_histories_over_real_logs(postgres: EmbeddedPostgres, migrated: str) -> None:
    @seed(full.seed())
    class Seeded(LoggedShop):
        def __init__(self) -> None:
            super().__init__(lambda: fresh_database(postgres, migrated))

    run_state_machine_as_test(Seeded, settings=sizes((8, 200)))
