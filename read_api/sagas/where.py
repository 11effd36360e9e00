"""Which sagas are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, StringFilter
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
class SagaStatusFilter:
    eq: Status | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on what a saga waits for; all that are given must hold.")
class SagaWaitsForFilter:
    eq: WaitsFor | None = strawberry.field(default=UNSET, description="It is this.")
    in_: list[WaitsFor] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on sagas; all that are given must hold.")
class SagasWhere:
    process: StringFilter | None = strawberry.field(
        default=UNSET, description="What it does: checkout, cancellation or return."
    )
    status: SagaStatusFilter | None = strawberry.field(default=UNSET, description="Where it is in its life.")
    waits_for: SagaWaitsForFilter | None = strawberry.field(
        default=UNSET, description="What has to come before it goes on."
    )
    order_id: IdFilter | None = strawberry.field(default=UNSET, description="The order it works.")
    started_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it began.")
