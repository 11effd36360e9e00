"""Oneself, and for staff everybody."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from projections.users.projector import users as projector
from projections.users.queries import USERS
from read_api.access import SignedIn, Staff, root
from read_api.connection import ORDERED, WHICH, Connection, connection
from read_api.context import Asked, Context
from read_api.history import AsOf, Kind, When, row_of
from read_api.paging import Paged, Paging
from read_api.scalars import Id, uuid_of
from read_api.users.nodes import User, user
from read_api.users.where import UsersOrderBy, UsersWhere, columns

USER: Final = Kind("users", projector, USERS)


@strawberry.type
class UsersQuery:
    @root(SignedIn, "Yourself. Null for a process, which is nobody.")
    async def me(self, info: Asked) -> User | None:
        return await user_by_id(info.context, info.context.actor.id)

    @root(SignedIn, "One user. Null if there is none that you may see.")
    async def user(self, info: Asked, id: Id, as_of: When = UNSET) -> User | None:
        return await user_by_id(info.context, uuid_of(id), as_of or None)

    @root(Staff, "Everybody with an account.", Paged())
    async def users(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[UsersWhere | None, WHICH] = UNSET,
        order_by: Annotated[UsersOrderBy, ORDERED] = UsersOrderBy.CREATED_AT_DESC,
    ) -> Connection[User]:
        context = info.context
        return await connection(context, USERS, list(columns(where)), order_by, paging, user)


async def user_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> User | None:
    actor = context.actor
    row = await row_of(context, USER, id, lambda row: actor.may_touch(row.id), as_of)
    return user(row, actor) if row else None
