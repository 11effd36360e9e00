"""The ports that routes use around the write loop: before it (`prepare`) and after it (`respond`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from commands.reply import Envelope, Reply
from domain.actor import Actor
from domain.aggregate import States
from domain.ids import ClaimId, OrderId, ProductId, UserId, VariantId
from domain.money import Money
from domain.notifications.events import Channel
from domain.value import Address, PaymentMethod


class Loop(Protocol):
    """A context's write loop, as its callers see it."""

    async def states(self, ids: Iterable[UUID]) -> States: ...
    async def submit(self, envelope: Envelope) -> Reply:
        """Raises Overloaded, OutcomeUnknown."""
        ...


class PersonalKeys(Protocol):
    """The keys that personal fields are sealed under, one a user."""

    async def create(self, user_id: UserId) -> None: ...
    async def destroy(self, user_id: UserId) -> datetime:
        """When that was: what is destroyed stays so."""
        ...


class Passwords(Protocol):
    """argon2id, on threads of its own."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, hash: str | None, password: str) -> bool:
        """Takes the same time without a hash (an unknown user), and says no."""
        ...


class Claims(Protocol):
    """Ids of values that may be taken only once. `kind` is `email`, `sku`, ...; `value` is normalised by the caller."""

    def claim_id(self, kind: str, value: str) -> ClaimId: ...

    def digest(self, value: bytes) -> bytes:
        """32 bytes by which two values can be told apart, and that tell nothing to who does not know the secret."""
        ...


class Tokens(Protocol):
    def access(self, actor: Actor) -> tuple[str, int]:
        """An access token and the seconds until it expires."""
        ...

    def new_refresh(self) -> tuple[str, str]:
        """A refresh token, to be given away and forgotten, and the hash to be stored."""
        ...

    def refresh_hash(self, text: str) -> str: ...


class WriteSide(Protocol):
    async def get(self, context: str, id: UUID) -> Any | None:
        """The present state of an aggregate, None if it has no events."""
        ...


class Settled(Protocol):
    """Waiting for what goes on by itself after a command."""

    async def __call__(self, context: str, id: UUID, within: float) -> bool:
        """Whether nothing goes on any more on this aggregate, as soon as that is so, at the latest in `within` seconds.

        It may say so earlier, when this process is about to stop.
        """
        ...


async def at_once(context: str, id: UUID, within: float) -> bool:
    """Where nothing goes on by itself."""
    return True


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalogue says of a variant at this moment. `sold` is false when it cannot be bought."""

    variant_id: VariantId
    product_id: ProductId
    sku: str
    name: str
    price: Money
    sold: bool


class Loops:
    """The write side as one: what the loops know, by context."""

    def __init__(self, loops: Mapping[str, Loop]) -> None:
        self._loops = loops

    async def get(self, context: str, id: UUID) -> Any | None:
        return (await self._loops[context].states([id])).get(id)


class Catalogue(Protocol):
    async def offers(self, ids: Iterable[VariantId]) -> Mapping[VariantId, Offer]:
        """Unknown variants are left out."""
        ...


class Shipping(Protocol):
    def cost(self, lines: Sequence[tuple[Money, int]], address: Address | None) -> Money:
        """`lines` are (unit price, quantity), at least one, all of one currency."""
        ...


class Tax(Protocol):
    def tax(self, net: Money, address: Address | None) -> Money: ...


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """How a placed order is to be paid. `token` stands for card or account at the gateway: it is personal."""

    customer_id: UserId
    total: Money
    method: PaymentMethod
    token: str | None = field(repr=False)


class PlacedOrders(Protocol):
    async def choice(self, order_id: OrderId) -> PaymentChoice:
        """Raises NotFound, OrderNotPlaced, PaymentTokenErased, Unavailable."""
        ...


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything a `prepare`, `respond` or `serve` may use. Made in `infra/bootstrap.py`."""

    keys: PersonalKeys
    passwords: Passwords
    claims: Claims
    tokens: Tokens
    states: WriteSide
    catalogue: Catalogue
    shipping: Shipping
    tax: Tax
    placed_orders: PlacedOrders
    settled: Settled = at_once
    channels: frozenset[Channel] = frozenset({Channel.EMAIL, Channel.IN_APP})
    now: Callable[[], datetime] = utc_now
