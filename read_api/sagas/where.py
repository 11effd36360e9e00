"""Which sagas are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, OneOf, StringFilter, optional
from read_api.sagas.enums import Status, WaitsFor


class SagasOrderBy(Enum):
    STARTED_AT_ASC = Ordering("started_at")
    STARTED_AT_DESC = Ordering("started_at", descending=True)


described(
    SagasOrderBy,
    "Orderings of sagas.",
    STARTED_AT_ASC="The oldest first.",
    STARTED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on a saga's status; all that are given must hold.")
class SagaStatusFilter(OneOf[Status]):
    pass


@strawberry.input(description="Conditions on what a saga waits for; all that are given must hold.")
class SagaWaitsForFilter(OneOf[WaitsFor]):
    eq: WaitsFor | None = optional("It is this.")


@strawberry.input(description="Conditions on sagas; all that are given must hold.")
class SagasWhere:
    process: StringFilter | None = optional("What it does: checkout, cancellation or return.")
    status: SagaStatusFilter | None = optional("Where it is in its life.")
    waits_for: SagaWaitsForFilter | None = optional("What has to come before it goes on.")
    order_id: IdFilter | None = optional("The order it works.")
    started_at: DateTimeFilter | None = optional("When it began.")
