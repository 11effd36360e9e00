"""The category tree: one aggregate, so that two moves at once can never make a cycle of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from immutables import Map

from domain.errors import AlreadyExists, NotFound
from domain.event import JSON, after, first
from domain.ids import CategoryId, derive
from domain.products.errors import CategoryCycle, CategoryLimit, CategoryNameTaken, CategoryNotEmpty
from domain.products.events import (
    CategoryCreated,
    CategoryEvent,
    CategoryMoved,
    CategoryRemoved,
    CategoryRenamed,
)
from domain.products.value import MAX_CATEGORIES, MAX_DEPTH

TREE: Final = derive("categories", "tree")
"""The id of the one tree."""


class TreeStatus(StrEnum):
    ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Category:
    id: CategoryId
    name: str
    parent_id: CategoryId | None


@dataclass(frozen=True, slots=True)
class Categories:
    id: UUID
    version: int
    nodes: Map[CategoryId, Category]

    @property
    def status(self) -> TreeStatus:
        return TreeStatus.ACTIVE

    def __getitem__(self, id: CategoryId) -> Category:
        """Raises NotFound."""
        if (node := self.nodes.get(id)) is None:
            raise NotFound("category", id)
        return node

    def path(self, id: CategoryId) -> list[Category]:
        """From the top down to the category itself. Raises NotFound."""
        path, node = [self[id]], self[id]
        while node.parent_id is not None:
            path.append(node := self[node.parent_id])
        return path[::-1]

    def children(self, id: CategoryId | None) -> Iterator[Category]:
        return (node for node in self.nodes.values() if node.parent_id == id)

    def height(self, id: CategoryId) -> int:
        """Levels from the category down to the deepest below it; 1 when nothing is below it."""
        return 1 + max((self.height(child.id) for child in self.children(id)), default=0)


EMPTY: Final = Categories(TREE, 0, Map())


def create(
    tree: Categories, id: CategoryId, name: str, parent_id: CategoryId | None, *, at: datetime
) -> CategoryCreated:
    if id in tree.nodes:
        raise AlreadyExists("category", id)
    if len(tree.nodes) >= MAX_CATEGORIES:
        raise CategoryLimit(f"there are {MAX_CATEGORIES} categories already: remove some first", maximum=MAX_CATEGORIES)
    check_place(tree, name, parent_id, 1)
    return CategoryCreated(**following(tree, at), category_id=id, name=name, parent_id=parent_id)


def rename(tree: Categories, id: CategoryId, name: str, *, at: datetime) -> CategoryRenamed | None:
    node = tree[id]
    if name == node.name:
        return None
    if name.casefold() != node.name.casefold():
        check_name(tree, name, node.parent_id)
    return CategoryRenamed(**following(tree, at), category_id=id, name=name)


def move(tree: Categories, id: CategoryId, parent_id: CategoryId | None, *, at: datetime) -> CategoryMoved | None:
    """The category goes, with all that is below it, under another one or (None) to the top. Raises CategoryCycle."""
    node = tree[id]
    if parent_id == node.parent_id:
        return None
    if parent_id and id in (path := [step.id for step in tree.path(parent_id)]):
        raise CategoryCycle(id, path)
    check_place(tree, node.name, parent_id, tree.height(id))
    return CategoryMoved(**following(tree, at), category_id=id, parent_id=parent_id)


def remove(tree: Categories, id: CategoryId, *, at: datetime) -> CategoryRemoved:
    """Only a category with none below it. Products that were in it are in none from then on."""
    node = tree[id]
    if below := sum(1 for _ in tree.children(node.id)):
        raise CategoryNotEmpty(id, below)
    return CategoryRemoved(**following(tree, at), category_id=id)


def check_place(tree: Categories, name: str, parent_id: CategoryId | None, height: int) -> None:
    depth = len(tree.path(parent_id)) if parent_id else 0
    if depth + height > MAX_DEPTH:
        raise CategoryLimit(f"this would make {depth + height} levels; {MAX_DEPTH} are possible", maximum=MAX_DEPTH)
    check_name(tree, name, parent_id)


def check_name(tree: Categories, name: str, parent_id: CategoryId | None) -> None:
    if any(node.name.casefold() == name.casefold() for node in tree.children(parent_id)):
        raise CategoryNameTaken(name)


def following(tree: Categories, at: datetime) -> JSON:
    return after(tree, at) if tree.version else first(TREE, at)


def evolve(tree: Categories | None, event: CategoryEvent) -> Categories:
    tree = tree or EMPTY
    return replace(tree, version=event.originator_version, nodes=evolve_nodes(tree.nodes, event))


def evolve_nodes(nodes: Map[CategoryId, Category], event: CategoryEvent) -> Map[CategoryId, Category]:
    id = event.category_id
    match event:
        case CategoryCreated():
            return nodes.set(id, Category(id, event.name, event.parent_id))
        case CategoryRenamed():
            return nodes.set(id, replace(nodes[id], name=event.name))
        case CategoryMoved():
            return nodes.set(id, replace(nodes[id], parent_id=event.parent_id))
        case CategoryRemoved():
            return nodes.delete(id)
        case _:
            raise TypeError(f"{type(event).__name__} is no event of the category tree")
