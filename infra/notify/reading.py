"""What a letter says, read when it is sent: names and addresses from the logs, opened here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from commands.users.mailed_links import MailedLinks
from domain.errors import DomainError
from domain.event import Erased
from domain.ids import UserId, VariantId
from domain.money import Money
from domain.notifications.notification import Notification
from domain.notifications.triggers import Trigger
from domain.orders.events import OrderShipped
from domain.orders.order import Order
from domain.products.product import Product
from domain.products.stock import Stock
from domain.users.credentials import Credentials, credentials_id
from domain.users.events import ProfileChanged, UserRegistered
from domain.users.user import Status, User
from infra.notify.channel import Addressee, Undeliverable
from projections.feed import Recorded

JSON = dict[str, Any]

GONE: Final = {
    Status.ERASED: ("RECIPIENT_ERASED", "the user was erased"),
    Status.SUSPENDED: ("RECIPIENT_SUSPENDED", "the user is suspended"),
}


class States(Protocol):
    async def get(self, context: str, id: UUID) -> Any | None: ...


class Stream(Protocol):
    """The log of a context, as far as one aggregate goes."""

    async def stream(self, id: UUID) -> list[Recorded]: ...


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the shop's own pages. Tokens stand behind the #, which no browser sends to a server."""

    base: str
    tokens: MailedLinks

    def home(self) -> str:
        return self.base.rstrip("/")

    def order(self, id: UUID) -> str:
        return f"{self.home()}/orders/{id}"

    def activation(self, user_id: UUID) -> str:
        return f"{self.home()}/activate#user={user_id}&token={self.tokens.activation(user_id)}"

    def reset(self, credentials: Credentials, version: int) -> str:
        token = self.tokens.reset(credentials.id, version)
        return f"{self.home()}/reset-password#user={credentials.user_id}&token={token}"


class Reading:
    """`logs` are those of users and orders, by context."""

    def __init__(self, states: States, logs: Mapping[str, Stream], links: Links, staff: str, *, shop: str) -> None:
        self._states = states
        self._logs = logs
        self._links = links
        self._staff = staff
        self._shop = shop

    async def addressee(self, notification: Notification) -> Addressee:
        """Raises Undeliverable for who is erased or suspended."""
        if notification.user_id is None:
            return Addressee(self._staff)
        await self._user(notification.user_id)
        return addressee_in(await self._logs["users"].stream(notification.user_id))

    async def words(self, notification: Notification, addressee: Addressee, now: datetime) -> JSON:
        """All that the template of this trigger may name. Raises Undeliverable."""
        shared = {"shop": self._shop, "home": self._links.home(), "name": addressee.name}
        return shared | await self._about(notification, now)

    async def _about(self, notification: Notification, now: datetime) -> JSON:
        facts: Mapping[str, Any] = notification.facts
        match notification.trigger:
            case Trigger.REGISTERED:
                return await self._registered(notification.user_id)
            case Trigger.PASSWORD_RESET:
                return await self._reset(notification.user_id, int(facts["version"]), now)
            case Trigger.STOCK_LOW | Trigger.STOCK_OUT:
                return {"variant": await self._variant(VariantId(UUID(facts["variant_id"])))} | dict(facts)
            case _:
                return await self._order(facts)

    async def _user(self, id: UserId) -> User:
        user = await self._states.get("users", id)
        if not isinstance(user, User):
            raise Undeliverable("RECIPIENT_UNKNOWN", "the log of users has not (or no more) such a user")
        if user.status in GONE:
            raise Undeliverable(*GONE[user.status])
        return user

    async def _registered(self, id: UserId | None) -> JSON:
        assert id is not None, "registered is told to a user"
        waits = (await self._user(id)).status is Status.REGISTERED
        return {"link": self._links.activation(id) if waits else None}

    async def _reset(self, id: UserId | None, version: int, now: datetime) -> JSON:
        """A link that is good no more is not sent any more."""
        assert id is not None, "a reset is told to a user"
        credentials = await self._states.get("users", credentials_id(id))
        if not isinstance(credentials, Credentials):
            raise Undeliverable("RECIPIENT_UNKNOWN", "the log of users has not (or no more) such credentials")
        pending = credentials.reset
        if pending is None or pending.expires_at <= now:
            raise Undeliverable("OUTDATED", "the link was used or is too old")
        if pending.token_hash != self._links.tokens.reset_hash(credentials.id, version):
            raise Undeliverable("OUTDATED", "a newer link was asked for")
        return {"link": self._links.reset(credentials, version), "expires_at": pending.expires_at}

    async def _order(self, facts: Mapping[str, Any]) -> JSON:
        id = UUID(facts["order_id"])
        order = await self._states.get("orders", id)
        if not isinstance(order, Order):
            raise Undeliverable("ORDER_UNKNOWN", "the log of orders has not (or no more) such an order")
        words: JSON = {"order": order, "link": self._links.order(id)} | dict(facts)
        if "amount" in facts:
            words["amount"] = Money(amount=facts["amount"], currency=facts["currency"])
        if "shipment_id" in facts:
            words["shipment"] = shipped(await self._logs["orders"].stream(id), UUID(facts["shipment_id"]))
        return words

    async def _variant(self, id: VariantId) -> JSON:
        """By its name where the catalogue still has it."""
        stock = await self._states.get("products", id)
        product = await self._states.get("products", stock.product_id) if isinstance(stock, Stock) else None
        if not isinstance(product, Product):
            return {"sku": str(id), "title": str(id)}
        try:
            variant = product.variant(id)
        except DomainError:
            return {"sku": str(id), "title": product.details.name}
        return {"sku": variant.sku, "title": product.title_of(variant)}


def addressee_in(stream: list[Recorded]) -> Addressee:
    """The address somebody registered with and the name they go by now. Raises Undeliverable once they are erased."""
    email: str | Erased | None = None
    name: str | Erased = ""
    for recorded in stream:
        match recorded.event:
            case UserRegistered() as event:
                email, name = event.email, event.display_name
            case ProfileChanged() as event:
                name = event.profile if isinstance(event.profile, Erased) else event.profile.display_name
            case _:
                pass
    if isinstance(email, Erased) or isinstance(name, Erased):
        raise Undeliverable(*GONE[Status.ERASED])
    if email is None:
        raise Undeliverable("RECIPIENT_UNKNOWN", "the log of users has not (or no more) such a user")
    return Addressee(email, name)


def shipped(stream: list[Recorded], shipment_id: UUID) -> JSON:
    for recorded in stream:
        event = recorded.event
        if isinstance(event, OrderShipped) and event.shipment_id == shipment_id:
            return {"carrier": event.carrier, "tracking": event.tracking, "complete": event.complete}
    raise Undeliverable("SHIPMENT_UNKNOWN", "the log of orders has not (or no more) such a shipment")
