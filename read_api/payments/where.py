"""Which payments are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter
from read_api.payments.enums import (
    ChargeStatus,
)


class PaymentsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)


described(
    PaymentsOrderBy,
    "Orderings of payments.",
    CREATED_AT_ASC="The oldest first.",
    CREATED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on a charge status.")
class ChargeStatusFilter:
    eq: ChargeStatus | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[ChargeStatus] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on payments; all that are given must hold.")
class PaymentsWhere:
    status: ChargeStatusFilter | None = strawberry.field(default=UNSET, description="How far the order is paid.")
    order_id: IdFilter | None = strawberry.field(default=UNSET, description="The order that is paid.")
    customer_id: IdFilter | None = strawberry.field(default=UNSET, description="Who pays.")
    created_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it was opened.")
