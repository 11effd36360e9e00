"""Which page of a list is asked for: Relay's four arguments, said once for every list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import strawberry
from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions import FieldExtension
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from projections.listing import Page
from read_api.cursor import Cursors
from read_api.errors import InvalidPage

MAX_PAGE: Final = 100  # nodes

ARGUMENTS: Final[Mapping[str, Any]] = {
    "first": Annotated[int | None, strawberry.argument(description="So many from the front, 1 to 100.")],
    "after": Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")],
    "last": Annotated[
        int | None, strawberry.argument(description="So many from the end, 1 to 100, instead of `first`.")
    ],
    "before": Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")],
}


@dataclass(frozen=True, slots=True)
class Paging:
    """Relay's four arguments, as a list field was given them."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None

    @property
    def size(self) -> int:
        """Raises InvalidPage."""
        sizes = [size for size in (self.first, self.last) if size is not None]
        if len(sizes) != 1 or not 1 <= sizes[0] <= MAX_PAGE:
            raise InvalidPage(f"first: {self.first}, last: {self.last}".replace("None", "null"), MAX_PAGE)
        return sizes[0]

    @property
    def backward(self) -> bool:
        return self.first is None

    def page(self, cursors: Cursors, of: str) -> Page:
        """The page, of the list and ordering that `of` names. Raises InvalidPage, InvalidCursor."""
        return Page(
            self.size,
            self.backward,
            after=cursors.open(of, self.after, "after") if self.after is not None else None,
            before=cursors.open(of, self.before, "before") if self.before is not None else None,
        )


class Paged(FieldExtension):
    """In the graph a list field has Relay's four arguments where its resolver has `paging: Paging`."""

    def apply(self, field: StrawberryField) -> None:
        field.arguments = [
            shown
            for argument in field.arguments
            for shown in (relay_arguments() if argument.python_name == "paging" else [argument])
        ]

    def map_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        others = {name: value for name, value in kwargs.items() if name not in ARGUMENTS}
        return {**others, "paging": paging(kwargs)}


def relay_arguments() -> list[StrawberryArgument]:
    return [
        StrawberryArgument(name, None, StrawberryAnnotation(annotation), default=UNSET)
        for name, annotation in ARGUMENTS.items()
    ]


def paging(arguments: Mapping[str, Any]) -> Paging:
    """From a field's arguments; those that were not given are not among them."""
    return Paging(**{name: arguments.get(name) for name in ARGUMENTS})
