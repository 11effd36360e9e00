"""Which events somebody is told of, and who that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import NotFound
from domain.event import JSON, Event, upcast
from domain.ids import OrderId, payment_of
from domain.notifications.triggers import SORTS, Sort
from domain.notifications.triggers import Trigger as Name
from domain.orders.order import evolve as order_of
from domain.payments.events import Advice
from domain.users.credentials import credentials_id
from domain.users.credentials import evolve as credentials_of
from domain.users.events import PasswordSet
from infra.contexts import CONTEXTS
from projections.doing import Done, Failed
from projections.todo import Work
from sagas.notifications.notifying import Notify, UnknownTrigger
from sagas.notifications.triggers import BY_NAME, KIND, TRIGGERS, rules
from tests.domain.orders.samples import CUSTOMER, ORDER, placed
from tests.domain.payments import samples as payments
from tests.golden.corpus import samples_of
from tests.projections.stories import told
from tests.specification import AT


@dataclass
class Books:
    """The write side and the notifications asked for."""

    states: dict[tuple[str, UUID], Any] = field(default_factory=dict)
    asked: list[JSON] = field(default_factory=list)

    async def get(self, context: str, id: UUID) -> Any | None:
        return self.states.get((context, id))

    async def notify(self, body: JSON, work: Work) -> UUID:
        self.asked.append(body)
        return work.id


def work(trigger: str, subject: UUID, **facts: Any) -> Work:
    id, data = uuid4(), {"trigger": trigger, "facts": facts}
    return Work(id, KIND, "orders", subject, data, 1, 0.0, None, "test", id, None, uuid4())


async def asked(books: Books, work: Work) -> JSON:
    act = Notify(books, books)
    assert await act.do(work) == Done({"notification": str(work.id)})
    (body,) = books.asked
    assert body.pop("cause") == str(work.causation_id)
    return body


def test_every_trigger_has_its_event() -> None:
    assert [trigger.name for trigger in TRIGGERS] == list(Name)
    names = {rule.event.TOPIC for context in CONTEXTS for rule in rules(context.name)}
    assert names == {trigger.event.TOPIC for trigger in TRIGGERS}
    assert set(SORTS) == set(Name)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.name)
def test_what_an_event_hands_on_are_ids_and_numbers(trigger: Any) -> None:
    context = trigger.event.TOPIC.partition(".")[0]
    sample = next(s for s in samples_of(context) if s.topic == trigger.event.TOPIC and not s.erased)
    secrets = [str(value) for value in sample.personal.values()]
    event = trigger.event.model_validate(
        upcast(trigger.event, dict(sample.state))
        | sample.personal
        | {"originator_id": sample.originator_id, "originator_version": sample.originator_version}
    )
    facts = trigger.facts(event)
    assert all(isinstance(value, int | str) for value in facts.values())
    assert not any(value in secrets for value in facts.values())


async def test_the_customer_of_an_order_is_told_of_it() -> None:
    books = Books({("orders", ORDER): order_of(None, placed(ORDER, 1))})  # type: ignore[arg-type]
    assert await asked(books, work("order-confirmed", ORDER)) == {
        "trigger": "order-confirmed", "userId": str(CUSTOMER), "facts": {"order_id": str(ORDER)},
    }  # fmt: skip


async def test_the_customer_of_a_payment_is_told_of_the_refund_of_the_order() -> None:
    id, state = payment_of(OrderId(payments.ORDER)), None
    for event in told(payments.CAPTURED, id):
        state = payments.payment.evolve(state, event)
    books = Books({("payments", id): state})
    body = await asked(books, work("order-refunded", id, amount=300, currency="EUR"))
    assert body["userId"] == str(payments.CUSTOMER)
    assert body["facts"] == {"amount": 300, "currency": "EUR", "order_id": str(payments.ORDER)}


async def test_who_asked_for_a_new_password_is_found_by_the_credentials() -> None:
    id = credentials_id(CUSTOMER)
    event: Event = PasswordSet(
        originator_id=id, originator_version=1, timestamp=AT, user_id=CUSTOMER, password_hash="hash"
    )
    books = Books({("users", id): credentials_of(None, event)})  # type: ignore[arg-type]
    body = await asked(books, work("password-reset", id, version=2))
    assert (body["userId"], body["facts"]) == (str(CUSTOMER), {"version": 2})


async def test_stock_is_told_to_the_staff() -> None:
    variant = uuid4()
    body = await asked(Books(), work("stock-low", variant, available=2))
    assert body == {
        "trigger": "stock-low", "audience": "staff", "facts": {"available": 2, "variant_id": str(variant)},
    }  # fmt: skip


async def test_what_the_log_does_not_know_any_more_is_told_to_nobody() -> None:
    said = await Notify(Books(), Books()).do(work("order-placed", ORDER))
    assert said == Failed(f"NOT_FOUND: {NotFound('order', ORDER)}")


async def test_a_trigger_of_a_later_release_waits_for_it() -> None:
    with pytest.raises(UnknownTrigger, match="no trigger order-lost"):
        await Notify(Books(), Books()).do(work("order-lost", ORDER))


def test_a_declined_payment_says_what_the_gateway_advises() -> None:
    declined = payments.declined(uuid4(), 3)
    assert BY_NAME["payment-failed"].facts(declined) == {"reason": Advice.OTHER_METHOD.value}
    assert SORTS[Name.PAYMENT_FAILED] is Sort.ORDER
