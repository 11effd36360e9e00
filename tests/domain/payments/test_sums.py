"""Any interleaving of our requests with a gateway's work and its late, doubled and reordered reports.

The model gateway works each request once, as it likes, and puts reports of what it did into the post; the post delivers
them in any order, some of them often. What we know may lag, but never be wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.errors import DomainError
from domain.ids import AttemptId, CaptureId, RefundId
from domain.money import Money
from domain.payments import outcomes, requests
from domain.payments.attempt import Attempt, EntryStatus
from domain.payments.errors import MoneyUnderWay, NothingToGiveBack
from domain.payments.events import Advice, CaptureRequested, RefundReason, RefundRequested, VoidRequested
from domain.payments.giving_back import give_back
from domain.payments.outcomes import Said
from domain.payments.payment import ChargeStatus, Payment, evolve
from domain.payments.requests import Why
from domain.value import PaymentMethod
from tests import full
from tests.domain.payments.samples import CUSTOMER, ORDER, eur, minute
from tests.specification import AT

Report = Callable[[Payment], Any]
DUE = eur(1000)
amounts = st.integers(1, 1200).map(eur)
mostly = st.sampled_from([True, True, True, False])


@dataclass
class Account:
    """An attempt as the gateway has it."""

    asked: int
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    charged_back: int = 0
    closed: bool = False
    todo: list[Any] = field(default_factory=list)


class Payments(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.payment = evolve(None, requests.open_payment(ORDER, CUSTOMER, DUE, at=AT))
        self.accounts: dict[AttemptId, Account] = {}
        self.post: list[Report] = []
        self.clock = 0
        self.ids = 0

    def fresh(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def said(self, attempt: AttemptId) -> Said:
        self.clock += 1
        return Said(attempt, "pi", minute(self.clock))

    def ask(self, decide: Callable[[], Any]) -> Any:
        """Our side: what is refused is not asked for."""
        try:
            event = decide()
        except DomainError:
            return None
        if event is not None:
            self.payment = evolve(self.payment, event)
        return event

    @initialize(stage=st.sampled_from([3, 2, 1, 0]))
    def somewhere_on_the_usual_way(self, stage: int) -> None:
        """Found by chance alone, a refund would be rare."""
        self.begin()
        [id] = self.accounts
        if stage > 0:
            self.approve(id)
        if stage > 1:
            self.deliver_everything()
            self.capture(None)
        if stage > 2:
            self.post.append(self.captured(self.accounts[id], self.accounts[id].todo.pop(), willing=True))
            self.deliver_everything()

    # what we ask for

    @rule(what=st.sampled_from(["refund", "capture", "void", "begin"]), amount=st.none() | amounts)
    def ask_for(self, what: str, amount: Money | None) -> None:
        """One rule, as Hypothesis leaves whole rules out of most of its runs."""
        match what:
            case "begin":
                self.begin()
            case "capture":
                self.capture(amount)
            case "refund":
                self.refund(amount)
            case _:
                self.enqueue(self.ask(lambda: requests.void(self.payment, self.fresh(), at=AT)))

    @rule()
    def give_back(self) -> None:
        try:
            self.give_back_once()
        except (MoneyUnderWay, NothingToGiveBack):
            return

    def give_back_once(self) -> None:
        for request in give_back(self.payment, Why(RefundReason.CANCELLATION), self.fresh, at=AT):
            self.payment = evolve(self.payment, request)
            self.enqueue(request)

    def begin(self) -> None:
        id = AttemptId(self.fresh())
        begun = self.ask(lambda: requests.begin(self.payment, id, self.fresh(), PaymentMethod.WALLET, None, at=AT))
        if begun is not None:
            self.accounts[id] = Account(begun.amount.amount)

    def capture(self, amount: Money | None) -> None:
        id = CaptureId(self.fresh())
        self.enqueue(self.ask(lambda: requests.capture(self.payment, id, self.fresh(), amount, at=AT)))

    def refund(self, amount: Money | None) -> None:
        id, why = RefundId(self.fresh()), Why(RefundReason.GOODWILL)
        self.enqueue(self.ask(lambda: requests.refund(self.payment, id, self.fresh(), amount, why, at=AT)))

    def enqueue(self, request: Any) -> None:
        if request is not None:
            self.accounts[request.attempt_id].todo.append(request)

    # what the gateway does

    @rule(data=st.data(), approve=mostly)
    @precondition(lambda self: any(not a.authorised and not a.closed for a in self.accounts.values()))
    def authorise(self, data: st.DataObject, approve: bool) -> None:
        waiting = [id for id, a in self.accounts.items() if not a.authorised and not a.closed]
        id = data.draw(st.sampled_from(waiting))
        if approve:
            self.approve(id)
        else:
            self.decline(id)

    def approve(self, id: AttemptId) -> None:
        """What was asked for: after a part was charged back, another attempt asks for that part only."""
        account, said = self.accounts[id], self.said(id)
        account.authorised = account.asked
        self.post.append(lambda p: outcomes.record_authorised(p, said, eur(account.asked), None, at=AT))

    def decline(self, id: AttemptId) -> None:
        said, self.accounts[id].closed = self.said(id), True
        self.post.append(lambda p: outcomes.record_declined(p, said, "no", Advice.NONE, at=AT))

    @rule(data=st.data(), willing=mostly)
    @precondition(lambda self: any(account.todo for account in self.accounts.values()))
    def work(self, data: st.DataObject, willing: bool) -> None:
        id = data.draw(st.sampled_from([id for id, account in self.accounts.items() if account.todo]))
        account = self.accounts[id]
        request = account.todo.pop(data.draw(st.integers(0, len(account.todo) - 1)))
        match request:
            case CaptureRequested():
                self.post.append(self.captured(account, request, willing))
            case RefundRequested():
                self.post.append(self.refunded(account, request, willing))
            case VoidRequested():
                self.voided(account, id)

    def captured(self, account: Account, asked: CaptureRequested, willing: bool) -> Report:
        said, id = self.said(asked.attempt_id), asked.capture_id
        if account.closed or not willing:
            return lambda p: outcomes.record_capture_failed(p, said, id, "no", at=AT)
        account.captured += asked.amount.amount
        return lambda p: outcomes.record_captured(p, said, id, asked.amount, at=AT)

    def refunded(self, account: Account, asked: RefundRequested, willing: bool) -> Report:
        said, id = self.said(asked.attempt_id), asked.refund_id
        if account.charged_back or not willing:
            return lambda p: outcomes.record_refund_failed(p, said, id, "no", at=AT)
        account.refunded += asked.amount.amount
        return lambda p: outcomes.record_refunded(p, said, id, asked.amount, at=AT)

    def voided(self, account: Account, id: AttemptId) -> None:
        if account.captured >= account.authorised > 0 or account.closed:
            return
        said, account.closed = self.said(id), True
        self.post.append(lambda p: outcomes.record_voided(p, said, at=AT))

    @rule(data=st.data())
    @precondition(lambda self: any(a.authorised and not a.captured and not a.closed for a in self.accounts.values()))
    def expire(self, data: st.DataObject) -> None:
        held = [id for id, a in self.accounts.items() if a.authorised and not a.captured and not a.closed]
        id = data.draw(st.sampled_from(held))
        said, self.accounts[id].closed = self.said(id), True
        self.post.append(lambda p: outcomes.record_authorisation_expired(p, said, at=AT))

    @rule(data=st.data())
    @precondition(lambda self: any(a.captured > a.refunded and not a.charged_back for a in self.accounts.values()))
    def charge_back(self, data: st.DataObject) -> None:
        able = [id for id, a in self.accounts.items() if a.captured > a.refunded and not a.charged_back]
        id = data.draw(st.sampled_from(able))
        said, amount = self.said(id), self.accounts[id].captured - self.accounts[id].refunded
        self.accounts[id].charged_back = amount
        self.post.append(lambda p: outcomes.record_charged_back(p, said, eur(amount), at=AT))

    # what the post delivers

    @rule(data=st.data(), again=st.booleans())
    @precondition(lambda self: self.post)
    def deliver(self, data: st.DataObject, again: bool) -> None:
        at = data.draw(st.integers(0, len(self.post) - 1))
        self.hear(self.post[at] if again else self.post.pop(at))

    @rule()
    def deliver_everything(self) -> None:
        while self.post:
            self.hear(self.post.pop(0))

    def hear(self, report: Report) -> None:
        event = report(self.payment)  # raises nothing, ever
        if event is not None:
            self.payment = evolve(self.payment, event)
            assert report(self.payment) is None

    # what always holds

    @invariant()
    def no_more_is_refunded_than_was_captured(self) -> None:
        for attempt in self.payment.attempts:
            assert attempt.refunded + pending(attempt, attempt.refunds) <= attempt.captured

    @invariant()
    def no_more_is_captured_than_was_authorised(self) -> None:
        for attempt in self.payment.attempts:
            assert attempt.captured + pending(attempt, attempt.captures) <= attempt.authorised

    @invariant()
    def the_customer_is_not_charged_twice(self) -> None:
        assert sum(a.captured - a.refunded - a.charged_back for a in self.accounts.values()) <= DUE.amount
        assert self.payment.status is not ChargeStatus.OVERCHARGED

    @invariant()
    def one_attempt_is_active(self) -> None:
        assert sum(attempt.active for attempt in self.payment.attempts) <= 1

    def teardown(self) -> None:
        """Once all the post has come, in the worst order, we know what the gateway knows."""
        for report in reversed(self.post):
            self.hear(report)
        for attempt in self.payment.attempts:
            account = self.accounts[attempt.id]
            known = (attempt.captured, attempt.refunded, attempt.charged_back)
            assert known == (eur(account.captured), eur(account.refunded), eur(account.charged_back))
        self.give_back_until_nothing_is_left()

    def give_back_until_nothing_is_left(self) -> None:
        """As a saga does: again after each outcome."""
        with contextlib.suppress(NothingToGiveBack):
            for _ in range(20):
                self.work_all()
                with contextlib.suppress(MoneyUnderWay):
                    self.give_back_once()
            pytest.fail(f"it does not come to an end: {self.payment}")
        assert not self.payment.paid
        assert all(account.closed or account.captured == account.authorised for account in self.accounts.values())
        for account in self.accounts.values():
            assert account.captured == account.refunded + account.charged_back

    def work_all(self) -> None:
        for id, account in self.accounts.items():
            while account.todo:
                match account.todo.pop():
                    case CaptureRequested() as request:
                        self.post.append(self.captured(account, request, willing=True))
                    case RefundRequested() as request:
                        self.post.append(self.refunded(account, request, willing=True))
                    case VoidRequested():
                        self.voided(account, id)
        for report in reversed(self.post):
            self.hear(report)
        self.post.clear()


def pending(attempt: Attempt, entries: Any) -> Money:
    return attempt.sum_of(entries, EntryStatus.PENDING)


TestPaymentSums = pytest.mark.full("payments")(pytest.mark.timeout(1_200)(seed(full.seed())(Payments).TestCase))
TestPaymentSums.settings = settings(
    max_examples=full.size(400, 3_000, suite="payments"),
    stateful_step_count=full.size(50, 80, suite="payments"),
    deadline=None,
)
