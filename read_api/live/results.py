"""What comes of a subscription, one result after another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from graphql import GraphQLError
from strawberry.types.execution import PreExecutionError


async def results_of(source: Any) -> AsyncGenerator[Any, None]:
    """The library's results. A document that cannot be parsed is a result as well: its cache of them raises that."""
    async with aclosing(source):
        try:
            async for result in source:
                yield result
        except GraphQLError as error:
            yield PreExecutionError(data=None, errors=[error])
