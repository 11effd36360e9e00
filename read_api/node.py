"""Relay's Node: everything that has an id can be asked for by it."""

from __future__ import annotations

import strawberry


@strawberry.interface(
    description="Something with an id. Ids are those of the command API, and unique among all things."
)
class Node:
    id: strawberry.ID = strawberry.field(description="Its id, the same as in the command API.")
