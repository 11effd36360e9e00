"""Why something is not done to an order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError, Kind
from domain.ids import OrderId, SagaId, VariantId
from domain.money import Money
from domain.orders.quote import Quote


class EmptyOrder(DomainError):
    code = "EMPTY_ORDER"
    title = "An order needs at least one line"
    kind = Kind.INVALID

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} has no lines: add one first", id=str(order_id))


class TooManyLines(DomainError):
    code = "TOO_MANY_LINES"
    title = "An order has too many lines"
    kind = Kind.INVALID

    def __init__(self, lines: int, maximum: int) -> None:
        super().__init__(f"{lines} lines are too many: at most {maximum} are allowed", lines=lines, maximum=maximum)


class TooMany(DomainError):
    code = "QUANTITY_TOO_LARGE"
    title = "A quantity is too large"
    kind = Kind.INVALID

    def __init__(self, quantity: int, maximum: int) -> None:
        super().__init__(f"{quantity} of one variant are too many: at most {maximum} are allowed", maximum=maximum)


class PriceChanged(DomainError):
    """`quote` is what it costs now, as `POST /v1/quotes` answers it."""

    code = "PRICE_CHANGED"
    title = "The price is no longer what was quoted"

    def __init__(self, agreed: Money, quote: Quote) -> None:
        super().__init__(
            f"the order costs {quote.total} now, not {agreed}: accept the new quote",
            quote=quote.model_dump(mode="json", by_alias=True),
        )


class DraftChanged(DomainError):
    """Never stored with a key: the same request may succeed on the draft as it is now."""

    code = "DRAFT_CHANGED"
    title = "The draft changed while it was being placed"
    retryable = True

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"the lines of draft {order_id} changed while it was placed: try again", id=str(order_id))

    @property
    def final(self) -> bool:
        return False


class NotForSale(DomainError):
    code = "NOT_FOR_SALE"
    title = "Something ordered is not for sale"

    def __init__(self, variants: Iterable[VariantId]) -> None:
        names = sorted(str(v) for v in variants)
        super().__init__(f"not for sale: {', '.join(names)}", variants=names)


class CannotShip(DomainError):
    code = "CANNOT_SHIP"
    title = "There is no shipping rate"

    def __init__(self, currency: str, known: Iterable[str]) -> None:
        rates = sorted(known)
        super().__init__(f"there is no shipping rate in {currency}; there are in {', '.join(rates)}", currencies=rates)


class NoSuchLine(DomainError):
    code = "NO_SUCH_LINE"
    title = "The order has no such line"
    kind = Kind.INVALID

    def __init__(self, order_id: OrderId, line: int | VariantId, known: Iterable[int | VariantId]) -> None:
        lines = [k if isinstance(k, int) else str(k) for k in known]
        super().__init__(f"order {order_id} has no line {line}", line=str(line), lines=lines)


class MoreThanOrdered(DomainError):
    code = "MORE_THAN_ORDERED"
    title = "More would be shipped than was ordered"

    def __init__(self, line: int, asked: int, open: int) -> None:
        super().__init__(
            f"line {line}: {asked} to be shipped, but only {open} are open", line=line, asked=asked, open=open
        )


class MoreThanDelivered(DomainError):
    code = "MORE_THAN_DELIVERED"
    title = "More would come back than was delivered"

    def __init__(self, line: int, asked: int, returnable: int) -> None:
        super().__init__(
            f"line {line}: {asked} to come back, but only {returnable} can",
            line=line,
            asked=asked,
            returnable=returnable,
        )


class AlreadyShipped(DomainError):
    code = "ALREADY_SHIPPED"
    title = "An order is not cancelled once something of it was shipped"

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"something of order {order_id} was shipped: return it instead", id=str(order_id))


class ReasonRequired(DomainError):
    code = "REASON_REQUIRED"
    title = "The shop gives a reason for this"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("the shop does this to a customer's order only with a reason: give it in `note`")


class ReturnPeriodOver(DomainError):
    code = "RETURN_PERIOD_OVER"
    title = "The time to return has passed"

    def __init__(self, order_id: OrderId, until: datetime) -> None:
        super().__init__(f"order {order_id} could be returned until {until.isoformat()}", until=until.isoformat())


class SagaAtWork(DomainError):
    code = "SAGA_AT_WORK"
    title = "Another saga works this order, or none"

    def __init__(self, order_id: OrderId, saga_id: SagaId | UUID | None) -> None:
        worker = f"saga {saga_id}" if saga_id else "no saga"
        super().__init__(f"order {order_id} is worked by {worker}", saga=str(saga_id) if saga_id else None)
