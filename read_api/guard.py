"""What executes documents for streams takes them through the same checks and the same memory as single requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from graphql import GraphQLError, parse
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from domain.errors import DomainError
from read_api.documents import Asked, DocumentRefused, error_of

if TYPE_CHECKING:
    from read_api.context import Context
    from read_api.schema import Schema

NOTHING: Final = {kind: parse(f"{kind.value} {{ __typename }}") for kind in OperationType}
"""In the place of a document that is refused. It is not executed, but it has to be of a kind that may be."""


class Guard(SchemaExtension):
    """Puts what is known of a document where the library looks for it parsed and validated."""

    def __init__(self) -> None:
        self._refused: list[GraphQLError] = []

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context
        name = context._provided_operation_name  # operation_name is never None
        try:
            context.graphql_document = self._asked(name).operation.document
        except DocumentRefused as refusal:
            self._refused = refusal.errors
            kind = (
                OperationType.QUERY if OperationType.QUERY in context.allowed_operations else OperationType.SUBSCRIPTION
            )
            context.graphql_document, context._provided_operation_name = NOTHING[kind], None
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = self._refused
        yield

    def _asked(self, name: str | None) -> Asked:
        context = self.execution_context
        about = cast("Context | None", context.context)
        if about is not None and about.begun is not None:
            return about.begun.found()
        schema = cast("Schema", context.schema)
        try:
            text = schema.persisted.text(context.query, context.operation_extensions)
        except DomainError as refusal:
            raise DocumentRefused([error_of(refusal)]) from None
        asked = schema.documents.ask(text or "", name, context.variables)
        schema.persisted.remember(context.query, context.operation_extensions)
        return asked
