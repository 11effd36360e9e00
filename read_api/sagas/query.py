"""Sagas, one or a list, for those who look after them."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from projections.sagas.projector import sagas as projector
from projections.sagas.queries import SAGAS
from read_api.access import Staff, root
from read_api.connection import ORDERED, WHICH, Connection, connection
from read_api.context import Asked, Context
from read_api.filters import conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.paging import Paged, Paging
from read_api.sagas.nodes import Saga, saga
from read_api.sagas.where import SagasOrderBy, SagasWhere
from read_api.scalars import Id, uuid_of

SAGA: Final = Kind("sagas", projector, SAGAS)


@strawberry.type
class SagasQuery:
    @root(Staff, "One saga. Null if there is none.")
    async def saga(self, info: Asked, id: Id, as_of: When = UNSET) -> Saga | None:
        return await saga_by_id(info.context, uuid_of(id), as_of or None)

    @root(Staff, "Every saga.", Paged())
    async def sagas(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[SagasWhere | None, WHICH] = UNSET,
        order_by: Annotated[SagasOrderBy, ORDERED] = SagasOrderBy.STARTED_AT_DESC,
    ) -> Connection[Saga]:
        return await connection(
            info.context, SAGAS, list(conditions(where)), order_by, paging, lambda row, _: saga(row)
        )


async def saga_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Saga | None:
    if not context.actor.in_charge:
        return None
    row = await row_of(context, SAGA, id, lambda _: True, as_of)
    return saga(row) if row else None
