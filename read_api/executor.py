"""The library's executor, with an end to what one request may bring, and with others' turns in between.

What an operation costs is known before; how much there really is, only when it comes. A value is a field of an object.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from graphql import GraphQLError, located_error
from graphql.pyutils import is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from read_api.errors import AnswerTooLarge

MOST_VALUES: Final = 100_000
"""Of one answer: as much as ten times what costly pages of front ends have."""

PIECE: Final = 1_000
"""Values that are made in one go, some 10 ms. What is left waits until others had their turn: a time-out, too."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left = MOST_VALUES
        self._piece = PIECE
        self._turn = asyncio.Lock()

    def execute_fields(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        values = len(grouped_field_set)
        self._left -= values
        self._piece -= values
        if self._left < 0:
            raise AnswerTooLarge(MOST_VALUES)
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def complete_iterable_value(self, *args: Any) -> Any:
        return super().complete_iterable_value(*args) if self._piece > 0 else self._in_turn(*args)

    async def _in_turn(self, *args: Any) -> Any:
        """One list after another: each is made in a go of its own, however many wait."""
        async with self._turn:
            if self._piece <= 0:
                await asyncio.sleep(0)
                self._piece = PIECE
            made = super().complete_iterable_value(*args)
        return await made if is_awaitable(made) else made

    def handle_field_error(self, raw_error: Exception, return_type: Any, field_details_list: Any, path: Any) -> None:
        """An answer that is too large is given up as a whole: a null here and there would not make it small."""
        if is_too_large(raw_error):
            raise located_error(raw_error, [each.node for each in field_details_list], path.as_list())
        super().handle_field_error(raw_error, return_type, field_details_list, path)


def is_too_large(error: Exception) -> bool:
    return isinstance(error.original_error if isinstance(error, GraphQLError) else error, AnswerTooLarge)
