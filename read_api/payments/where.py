"""Which payments are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, OneOf, optional
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
class ChargeStatusFilter(OneOf[ChargeStatus]):
    pass


@strawberry.input(description="Conditions on payments; all that are given must hold.")
class PaymentsWhere:
    status: ChargeStatusFilter | None = optional("How far the order is paid.")
    order_id: IdFilter | None = optional("The order that is paid.")
    customer_id: IdFilter | None = optional("Who pays.")
    created_at: DateTimeFilter | None = optional("When it was opened.")
