"""The category tree: where categories may be, and that it stays a tree whatever is done to it."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import AlreadyExists, DomainError, NotFound
from domain.ids import CategoryId
from domain.products.categories import EMPTY, Categories, create, evolve, move, remove, rename
from domain.products.errors import CategoryCycle, CategoryLimit, CategoryNameTaken, CategoryNotEmpty
from domain.products.events import (
    CategoryCreated,
    CategoryEvent,
    CategoryMoved,
    CategoryRemoved,
    CategoryRenamed,
)
from domain.products.value import MAX_DEPTH
from tests.domain.products.histories import DOLLS, TOYS, TRAINS, TREE, named
from tests.specification import AT, Make, a


def created(id: CategoryId, name: str, parent_id: CategoryId | None = None) -> Make:
    return a(CategoryCreated, category_id=id, name=name, parent_id=parent_id)


toys, dolls, trains = created(TOYS, "Toys"), created(DOLLS, "Dolls", TOYS), created(TRAINS, "Trains")
given = TREE.given


def test_the_first_category_begins_the_tree():
    assert create(EMPTY, TOYS, "Toys", None, at=AT).originator_version == 1


def test_a_category_is_made_below_another():
    given(toys).when(create, DOLLS, "Dolls", TOYS).then(dolls)


def test_below_one_that_is_not_there_is_refused():
    given(toys).when(create, DOLLS, "Dolls", TRAINS).refused(NotFound)


def test_an_id_is_used_once():
    given(toys).when(create, TOYS, "Others", None).refused(AlreadyExists)


def test_names_differ_at_one_place():
    given(toys).when(create, DOLLS, "TOYS", None).refused(CategoryNameTaken)
    given(toys).when(create, DOLLS, "Toys", TOYS).then(CategoryCreated)
    given(toys, trains).when(rename, TRAINS, "toys").refused(CategoryNameTaken)


def test_a_category_is_renamed():
    given(toys).when(rename, TOYS, "toys").then(a(CategoryRenamed, category_id=TOYS, name="toys"))
    given(toys).when(rename, TOYS, "Toys").then()


def test_a_subtree_moves():
    given(toys, dolls, trains).when(move, TOYS, TRAINS).then(a(CategoryMoved, category_id=TOYS, parent_id=TRAINS))
    given(toys, dolls).when(move, DOLLS, None).then(a(CategoryMoved, category_id=DOLLS, parent_id=None))


def test_moving_to_where_it_is_changes_nothing():
    given(toys, dolls).when(move, DOLLS, TOYS).then()


def test_nothing_moves_below_itself():
    given(toys, dolls).when(move, TOYS, DOLLS).refused(CategoryCycle, path=[str(TOYS), str(DOLLS)])
    given(toys).when(move, TOYS, TOYS).refused(CategoryCycle)


def test_only_what_has_none_below_it_is_removed():
    given(toys, dolls).when(remove, TOYS).refused(CategoryNotEmpty, below=1)
    given(toys, dolls).when(remove, DOLLS).then(a(CategoryRemoved, category_id=DOLLS))


def test_the_path_leads_from_the_top():
    assert [c.name for c in given(toys, dolls).state.path(DOLLS)] == ["Toys", "Dolls"]


def chain(length: int, prefix: str = "") -> list[Make]:
    ids = [CategoryId(named(f"{prefix}{n}")) for n in range(length)]
    return [created(id, f"{prefix}{n}", ids[n - 1] if n else None) for n, id in enumerate(ids)]


def test_it_has_an_end_downwards():
    deep = given(*chain(MAX_DEPTH), toys)
    deep.when(create, DOLLS, "Dolls", CategoryId(named(f"{MAX_DEPTH - 1}"))).refused(CategoryLimit)
    deep.when(move, CategoryId(named("0")), TOYS).refused(CategoryLimit, maximum=MAX_DEPTH)


def test_it_has_an_end_in_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("domain.products.categories.MAX_CATEGORIES", 1)
    given(toys).when(create, DOLLS, "Dolls", None).refused(CategoryLimit)


IDS = [CategoryId(named(f"category {n}")) for n in range(12)]
ids = st.sampled_from(IDS)
parents = st.none() | ids


class Gardener(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tree: Categories = EMPTY

    def grow(self, event: CategoryEvent | None) -> None:
        if event:
            assert event.originator_version == self.tree.version + 1
            self.tree = evolve(self.tree, event)

    @rule(id=ids, name=st.sampled_from("abcdefgh"), parent=parents)
    def create(self, id: CategoryId, name: str, parent: CategoryId | None) -> None:
        with suppress(DomainError):
            self.grow(create(self.tree, id, name, parent, at=AT))

    @rule(id=ids, parent=parents)
    def move(self, id: CategoryId, parent: CategoryId | None) -> None:
        with suppress(DomainError):
            self.grow(move(self.tree, id, parent, at=AT))

    @rule(id=ids)
    def remove(self, id: CategoryId) -> None:
        with suppress(DomainError):
            self.grow(remove(self.tree, id, at=AT))

    @invariant()
    def every_category_reaches_the_top(self) -> None:
        for id in self.tree.nodes:
            seen: set[UUID] = set()
            step: CategoryId | None = id
            while step is not None:
                assert step not in seen, "a cycle"
                seen.add(step)
                step = self.tree.nodes[step].parent_id
            assert len(seen) <= MAX_DEPTH


TestGardener = Gardener.TestCase
