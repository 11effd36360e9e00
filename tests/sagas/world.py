"""A shop in memory: the real rules of every context, the real processes, a gateway with its own mind - and no order.

Whatever is durable in the real thing is a list here: events that are still to be delivered, commands, timers, requests
to the gateway, webhooks. Who plays with it decides what happens next, what comes twice and what is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import to_json

from commands.body import parsed
from commands.handler import Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.orders.messages import PlaceNow, PlaceOrder
from commands.payments.gateway import Answer, Authorise, Capture, Hook, RateLimited, Refund, Unknown, Void
from commands.payments.messages import ReceiveHook, RecordAnswer
from commands.payments.reports import Asked, Request
from commands.reply import Envelope, Key, KeyReused, Reply
from commands.route import Route
from commands.router import HANDLERS, RESOURCES, ROUTES
from commands.sagas.handlers import handlers as saga_handlers
from commands.sagas.messages import DeliverInput
from commands.services import PaymentChoice
from commands.table import Table
from domain import orders, payments, products, sagas
from domain.actor import Actor, Role, service
from domain.aggregate import Context, States
from domain.errors import DomainError
from domain.event import Event
from domain.ids import OrderId, PaymentId, ProductId, UserId, VariantId, derive, new_id, payment_of
from domain.money import Money
from domain.orders.events import OrderPlaced
from domain.orders.order import Order
from domain.orders.quote import Item, Quote
from domain.payments.events import AttemptCreated, CaptureRequested, RefundRequested, VoidRequested
from domain.payments.payment import ChargeStatus, Payment
from domain.products import stock as stocks
from domain.products.reservation import Reservation
from domain.products.stock import Stock
from domain.sagas.events import ActionKind, CommandDispatched, InputKind, TimerSet
from domain.sagas.saga import ACCEPTED, REFUSED, Saga
from domain.value import Address, PaymentMethod
from infra.claims import HiddenClaims
from infra.gateway.memory import MemoryGateway
from infra.sagas.loops import LoopCommands
from projections.feed import Recorded
from sagas.engine import Engine
from sagas.orchestrator import SagaSink
from sagas.port import Accepted
from sagas.port import Request as Sent
from sagas.processes import PROCESSES

T = TypeVar("T")

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = Address(name="Ada Lovelace", line1="Kantstr. 1", postal_code="10623", city="Berlin", country="DE")
ANN = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
STAFF = Actor(UUID(int=3), frozenset({Role.STAFF}))
OURS = service("test")
CONTEXTS: tuple[Context, ...] = (orders.CONTEXT, products.CONTEXT, payments.CONTEXT, sagas.CONTEXT)
TEA = VariantId(derive("test", "tea"))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Of something asynchronous that never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        value: T = ended.value
        return value
    raise AssertionError("it waits")


class MemoryLoop:
    """A write loop and its log: decides at once, keeps replies by key."""

    def __init__(self, world: World, context: Context, handlers: Handlers) -> None:
        self._world = world
        self._context = context
        self._handlers = handlers
        self.known: dict[UUID, Any] = {}
        self.replies: dict[UUID, tuple[bytes, Reply]] = {}

    async def states(self, ids: Iterable[UUID]) -> States:
        return States(self.known.get)

    async def submit(self, envelope: Envelope) -> Reply:
        key: Key | None = envelope.key
        if key is None:
            return self._decided(envelope)
        if key.id in self.replies:
            digest, reply = self.replies[key.id]
            return reply.again() if digest == key.digest else Reply(None, KeyReused())
        reply = self._decided(envelope)
        if reply.refusal is None or reply.refusal.final:
            self.replies[key.id] = key.digest, reply
        return reply

    def _decided(self, envelope: Envelope) -> Reply:
        command = envelope.command
        handler = self._handlers[type(command)]
        states = States(self.known.get)
        try:
            made = handler.decide(command, states, self._world.now, new_id)
        except DomainError as refusal:
            return Reply(None, refusal)
        events = [] if made is None else [made] if isinstance(made, Event) else list(made)
        for event in events:
            self.known[event.originator_id] = self._context.evolve(self.known.get(event.originator_id), event)
            position = len(self._world.feeds[self._context.name]) + 1
            recorded = Recorded(event, position, 0, new_id(), self._world.now, "c", None, "test", None)
            self._world.recorded(self._context.name, recorded)
        return Reply(handler.answer(command, States(self.known.get)))


class OpenShelf(Command):
    quantity: int


class OpensShelf(Handler[OpenShelf]):
    """The one variant with its goods, without a product."""

    of = Stock

    def decide(self, command: OpenShelf, states: States, at: datetime, ids: Ids) -> Decision:
        opened = stocks.open_stock(VariantId(command.target), ProductId(derive("test", "product")), at=at)
        return [opened, *stocks.receive(stocks.evolve(None, opened), command.quantity, at=at)]


def handlers_of(context: Context) -> Handlers:
    more: dict[str, Handlers] = {"sagas": saga_handlers(Engine(PROCESSES)), "products": {OpenShelf: OpensShelf()}}
    return HANDLERS.get(context.name, {}) | more.get(context.name, {})


@dataclass
class Pending:
    """A request to the gateway."""

    payment_id: PaymentId
    event: AttemptCreated | CaptureRequested | VoidRequested | RefundRequested
    later: bool = False  # it could not be done yet


@dataclass
class Timer:
    saga: UUID
    id: UUID
    name: str
    due_at: datetime


@dataclass
class World:
    """`stock` is what there is of the one variant."""

    stock: int = 3
    now: datetime = BEGAN
    feeds: dict[str, list[Recorded]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # how many of a feed were delivered, in order
    commands: list[tuple[UUID, CommandDispatched]] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    requests: list[Pending] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    lost: list[Hook] = field(default_factory=list)  # webhooks that never came

    def __post_init__(self) -> None:
        self.gateway = MemoryGateway(lambda: BEGAN)
        self.feeds = {context.name: [] for context in CONTEXTS}
        self.told = dict.fromkeys(self.feeds, 0)
        self.loops = {context.name: self._loop(context, handlers_of(context)) for context in CONTEXTS}
        services: Any = Services(HiddenClaims("a secret of some length, for tests"), self, self)
        self.port = LoopCommands(Table(ROUTES, RESOURCES), self.loops, services)
        self.sink = SagaSink(PROCESSES, self.loops["sagas"])
        self.do("products", OpenShelf(quantity=self.stock).bind(by=OURS, target=TEA)).result()

    def _loop(self, context: Context, handlers: Handlers) -> MemoryLoop:
        return MemoryLoop(self, context, handlers)

    # -- what the real thing has databases for

    def recorded(self, context: str, recorded: Recorded) -> None:
        self.feeds[context].append(recorded)
        match event := recorded.event:
            case CommandDispatched():
                self.commands.append((event.originator_id, event))
            case TimerSet():
                self.timers.append(Timer(event.originator_id, event.timer_id, event.name, event.due_at))
            case AttemptCreated() | CaptureRequested() | VoidRequested() | RefundRequested():
                self.requests.append(Pending(PaymentId(event.originator_id), event))
            case _:
                pass

    async def get(self, context: str, id: UUID) -> Any | None:
        return self.loops[context].known.get(id)

    async def choice(self, order_id: OrderId) -> PaymentChoice:
        for each in self.feeds["orders"]:
            if isinstance(each.event, OrderPlaced) and each.event.originator_id == order_id:
                token = each.event.payment_token
                assert token is None or isinstance(token, str)
                return PaymentChoice(each.event.customer_id, each.event.total, each.event.payment_method, token)
        raise AssertionError("no such order")

    # -- what may happen

    def do(self, context: str, command: Any) -> Reply:
        return at_once(self.loops[context].submit(Envelope(command, "c")))

    def post(self, path: str, body: Mapping[str, Any], by: Actor = OURS) -> Reply:
        """As a person would, not a saga."""
        row, id = Table(ROUTES, RESOURCES).find("POST", path)
        assert isinstance(row, Route)
        message = parsed(row.message, to_json(body)).bind(by=by, target=id)
        return self.do(row.context, message)

    def place(self, token: str | None, method: PaymentMethod = PaymentMethod.CREDIT_CARD, quantity: int = 1) -> OrderId:
        id = OrderId(new_id())
        item = Item(
            product_id=ProductId(derive("test", "product")),
            variant_id=TEA,
            sku="TEA",
            name="Tea",
            unit_price=eur(1000),
            quantity=quantity,
        )
        total = eur(1000 * quantity + 500)
        quote = Quote(lines=(item, item), shipping=eur(500), tax=eur(0), total=total + eur(1000 * quantity))
        order = PlaceOrder.model_validate(
            {
                "id": id,
                "customer_id": UserId(UUID(int=1)),
                "lines": ({"variant_id": TEA, "quantity": quantity},),
                "address": HOME,
                "payment": {"method": method, "token": token},
                "quoted_total": quote.total,
            },
            strict=False,
        )
        reply = self.do("orders", PlaceNow(id=id, order=order, quote=quote).bind(by=ANN))
        reply.result()
        return id

    def deliver(self, context: str) -> bool:
        """The next event of a context. False when all are delivered."""
        feed, next = self.feeds[context], self.told[context]
        if next == len(feed):
            return False
        self.told[context] = next + 1
        self._deliver(feed[next])
        return True

    def deliver_again(self, context: str, n: int) -> None:
        """One that was delivered before."""
        if self.told[context]:
            self._deliver(self.feeds[context][n % self.told[context]])

    def _deliver(self, recorded: Recorded) -> None:
        for envelope in self.sink.deliveries(recorded):
            at_once(self.loops["sagas"].submit(envelope)).result()

    def send(self, n: int, *, dies: bool = False) -> bool:
        """One of the commands that sagas asked for; whoever sent it may die before it notes what came of it."""
        if not self.commands:
            return False
        id, event = self.commands[n % len(self.commands)]
        saga: Saga = self.loops["sagas"].known[id]
        if saga.held:
            return False
        sent = Sent(event.command_id, event.path, event.body, "c", None, None)
        self.sent.append(sent)
        said = at_once(self.port.send(sent))
        if dies:
            return True
        self.commands.remove((id, event))
        name = ACCEPTED if isinstance(said, Accepted) else REFUSED
        facts: Any = {} if isinstance(said, Accepted) else {"code": said.code, "detail": said.detail}
        self._input(saga, event.command_id, InputKind.REPLY, name, facts)
        return True

    def _input(self, saga: Saga, id: UUID, kind: InputKind, name: str, facts: Any) -> None:
        command = DeliverInput(
            id=saga.id, process=saga.process, key=saga.key, input_id=id, kind=kind, name=name, facts=facts
        )
        self.do("sagas", command.bind(by=OURS)).result()

    def ring(self) -> bool:
        """The first timer that is due."""
        due = sorted((t for t in self.timers if t.due_at <= self.now), key=lambda t: t.due_at)
        if not due:
            return False
        timer = due[0]
        self.timers.remove(timer)
        self._input(self.loops["sagas"].known[timer.saga], timer.id, InputKind.TIMER, timer.name, {})
        return True

    def pass_time(self, by: timedelta) -> None:
        self.now += by
        self.gateway.advance(by)
        self.hooks += self.gateway.drain()

    def ask_gateway(self, n: int, *, dies: bool = False) -> bool:
        """One of the requests that are to be made; whoever makes it may die before it notes the answer."""
        ready = [pending for pending in self.requests if self._can_be_asked(pending) and not pending.later]
        if not ready:
            return False
        pending = ready[n % len(ready)]
        answer = self._asked(pending)
        self.hooks += self.gateway.drain()
        if dies or isinstance(answer, Unknown | RateLimited):
            return True  # it is asked again
        command = RecordAnswer(request=request_of(pending.event), answer=answer)
        self.do("payments", command.bind(by=OURS, target=pending.payment_id)).result()
        if self._settled(pending):
            self.requests.remove(pending)
        else:
            pending.later = True
        return True

    def _settled(self, pending: Pending) -> bool:
        """A void that the gateway does not do now is asked for again, until something becomes of it."""
        if not isinstance(pending.event, VoidRequested):
            return True
        attempt = self.payment(pending.payment_id).attempt(pending.event.attempt_id)
        assert attempt is not None
        return attempt.status.name not in ("PENDING", "ACTION_REQUIRED", "CREATED", "AUTHORISED")

    def _can_be_asked(self, pending: Pending) -> bool:
        attempt = self.payment(pending.payment_id).attempt(pending.event.attempt_id)
        return isinstance(pending.event, AttemptCreated) or (attempt is not None and attempt.reference is not None)

    def _asked(self, pending: Pending) -> Answer:
        event = pending.event
        payment = self.payment(pending.payment_id)
        attempt = payment.attempt(event.attempt_id)
        assert attempt is not None
        reference = attempt.reference or ""
        match event:
            case AttemptCreated():
                assert event.token is None or isinstance(event.token, str)
                return at_once(
                    self.gateway.authorise(
                        Authorise(
                            event.gateway_key,
                            payment.id,
                            payment.order_id,
                            event.attempt_id,
                            event.method,
                            event.amount,
                            event.token,
                        )
                    )
                )
            case CaptureRequested():
                return at_once(
                    self.gateway.capture(Capture(event.gateway_key, reference, event.capture_id, event.amount))
                )
            case VoidRequested():
                return at_once(self.gateway.void(Void(event.gateway_key, reference)))
            case RefundRequested():
                return at_once(self.gateway.refund(Refund(event.gateway_key, reference, event.refund_id, event.amount)))

    def hear_hook(self, n: int, *, again: bool = False) -> bool:
        """One of the webhooks, in any order."""
        if not self.hooks:
            return False
        hook = self.hooks[n % len(self.hooks)]
        if not again:
            self.hooks.remove(hook)
        id = derive("webhook", f"memory/{hook.id}")
        self.do("payments", ReceiveHook(gateway="memory", hook=hook).bind(by=OURS, target=id))
        return True

    # -- to the end

    def settle(self) -> None:
        """All that is to be done is done, and time passes until nothing more would happen."""
        for _ in range(2_000):
            if not self.step() and not self._wait():
                return
        raise AssertionError("it does not come to an end")

    def step(self) -> bool:
        told = sum(self.deliver(context) for context in self.feeds)
        return told > 0 or self.ring() or self.ask_gateway(0) or self.hear_hook(0) or self.send(0)

    def _wait(self) -> bool:
        """Until the next timer, or the gateway's next doing. What a lost webhook told is found by looking."""
        self.hooks, self.lost = self.hooks + self.lost, []
        if self.hooks:
            return True
        for pending in self.requests:
            pending.later = False
        if not self.timers:
            self._money_under_way_arrives()
            self.pass_time(timedelta(days=8))
            return bool(self.hooks)
        self.pass_time(max(timedelta(), min(t.due_at for t in self.timers) - self.now))
        return True

    def until(self, condition: Callable[[], object]) -> None:
        """Step by step, while no time passes."""
        for _ in range(500):
            if condition():
                return
            self.step()
        raise AssertionError("it does not come to that")

    def little(self) -> bool:
        """One thing only: the smallest step there is."""
        for context in self.feeds:
            if self.deliver(context):
                return True
        return self.ring() or self.ask_gateway(0) or self.hear_hook(0) or self.send(0)

    def act(self, saga: Saga, action: ActionKind) -> Reply:
        reply = self.post(f"/v1/sagas/{saga.id}/{action.lower()}", {"reason": "a test"})
        reply.result()
        return reply

    def customer_acts(self, order: OrderId, *, succeed: bool = True) -> None:
        """Does at the gateway's page what was asked for."""
        self.gateway.act(self._reference(order), succeed=succeed)
        self.hooks += self.gateway.drain()

    def money_arrives(self, order: OrderId) -> None:
        self.gateway.receive(self._reference(order))
        self.hooks += self.gateway.drain()

    def _reference(self, order: OrderId) -> str:
        payment = self.payment_of(order)
        assert payment is not None
        reference = payment.attempts[-1].reference
        assert reference is not None
        return reference

    def _money_under_way_arrives(self) -> None:
        for reference, attempt in list(self.gateway._attempts.items()):
            if attempt.intent.status.name == "PENDING" and not attempt.behaviour.transfer:
                self.gateway.receive(reference)

    # -- how things stand

    def waits_for_customer(self, order: OrderId) -> bool:
        payment = self.payment_of(order)
        return payment is not None and payment.attempts[-1].status.name in ("ACTION_REQUIRED", "PENDING")

    def charge(self, order: OrderId) -> ChargeStatus | None:
        payment = self.payment_of(order)
        return payment.status if payment else None

    def order(self, id: OrderId) -> Order:
        order: Order = self.loops["orders"].known[id]
        return order

    def payment(self, id: PaymentId) -> Payment:
        payment: Payment = self.loops["payments"].known[id]
        return payment

    def payment_of(self, id: OrderId) -> Payment | None:
        found: Payment | None = self.loops["payments"].known.get(payment_of(id))
        return found

    @property
    def sagas(self) -> list[Saga]:
        return list(self.loops["sagas"].known.values())

    @property
    def shelf(self) -> Stock:
        stock: Stock = self.loops["products"].known[TEA]
        return stock

    def reservations(self, order: OrderId) -> list[Reservation]:
        known = self.loops["products"].known.values()
        return [each for each in known if isinstance(each, Reservation) and each.order_id == order]


@dataclass
class Services:
    """What the rows that sagas use need."""

    claims: HiddenClaims
    states: World
    placed_orders: World


def request_of(event: AttemptCreated | CaptureRequested | VoidRequested | RefundRequested) -> Request:
    match event:
        case AttemptCreated():
            return Request(Asked.AUTHORISE, event.attempt_id)
        case CaptureRequested():
            return Request(Asked.CAPTURE, event.attempt_id, event.capture_id)
        case VoidRequested():
            return Request(Asked.VOID, event.attempt_id)
        case RefundRequested():
            return Request(Asked.REFUND, event.attempt_id, event.refund_id)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")
