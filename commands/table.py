"""Finding the row a request is for: one dictionary look-up, whatever the number of routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from commands.codes import METHOD_NOT_ALLOWED
from commands.problems import Problem
from commands.route import Resource, Route
from domain.errors import NotFound

ID: Final = "{id}"
LOOKS: Final = {"GET", "HEAD"}


class Found(NamedTuple):
    row: Route | Resource
    id: UUID | None  # the one in the path, for rows that have `{id}`


class Table:
    """Raises ValueError when two rows have one path."""

    def __init__(self, routes: Iterable[Route], resources: Iterable[Resource]) -> None:
        self._rows: dict[str, dict[str, Route | Resource]] = {}
        for route in routes:
            self._add(route.path, "POST", route)
        for resource in resources:
            self._add(resource.path, "GET", resource)
            self._add(resource.path, "HEAD", resource)

    def _add(self, path: str, method: str, row: Route | Resource) -> None:
        if self._rows.setdefault(path, {}).setdefault(method, row) is not row:
            raise ValueError(f"two rows for {method} {path}")

    def find(self, method: str, path: str) -> Found:
        """Raises NotFound, and Problem (405) when the address takes other methods only."""
        methods, id = self._methods(path)
        row = methods.get(method)
        if row is None:
            raise not_allowed(method, methods)
        return Found(row, id)

    def _methods(self, path: str) -> tuple[dict[str, Route | Resource], UUID | None]:
        if methods := self._rows.get(path):
            return methods, None
        parts = path.split("/", 4)  # "", "v1", collection, id, the rest
        if len(parts) < 4 or (id := canonical(parts[3])) is None:
            raise NotFound("address", path[:200])
        parts[3] = ID
        if methods := self._rows.get("/".join(parts)):
            return methods, id
        raise NotFound("address", path[:200])


def canonical(text: str) -> UUID | None:
    """The id, only in the form in which it is given out: `UUID()` alone would take braces and prefixes too."""
    if len(text) != 36:
        return None
    try:
        id = UUID(text)
    except ValueError:
        return None
    return id if str(id) == text.lower() else None


def not_allowed(method: str, methods: Iterable[str]) -> Problem:
    allowed = ", ".join(sorted(methods))
    return Problem(
        METHOD_NOT_ALLOWED,
        f"{method[:20]} is not taken here, only {allowed}",
        {"allowed": sorted(methods)},
        headers={"allow": allowed},
    )
