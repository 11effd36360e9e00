"""What a notification is made of."""

from __future__ import annotations

import strawberry


@strawberry.type(description="An id or a number of what a notification is about.")
class NotificationFact:
    name: str = strawberry.field(description="What it is, such as `order_id`.")
    value: str = strawberry.field(description="The id or number.")
