"""Decides the commands of the catalogue and the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.products import messages as m
from domain.aggregate import States
from domain.claim import Claim
from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.event import Event
from domain.ids import CategoryId, ProductId
from domain.products import categories, product, reservation, restock, sku, stock
from domain.products.categories import EMPTY, TREE, Categories
from domain.products.product import Details, Product, Variant
from domain.products.reservation import Reservation
from domain.products.restock import Restock
from domain.products.stock import Stock

C = TypeVar("C", bound=Command)


def category_answer(tree: Categories, id: UUID) -> Answer:
    """The version is the tree's."""
    return Answer(id, tree.version, tree.status.name)


class OfTree(Handler[C]):
    """The tree is one aggregate, whichever category is meant."""

    of = Categories

    def needs(self, command: C, states: States) -> Iterable[UUID]:
        return (TREE,)

    def answer(self, command: C, states: States) -> Answer:
        return category_answer(states[TREE, Categories], command.target)


def tree_of(states: States) -> Categories:
    return states.get(TREE, Categories) or EMPTY


class Create(OfTree[m.CreateCategory]):
    def decide(self, command: m.CreateCategory, states: States, at: datetime, ids: Ids) -> Decision:
        return categories.create(tree_of(states), command.id, command.name, command.parent_id, at=at)


class Rename(OfTree[m.RenameCategory]):
    def decide(self, command: m.RenameCategory, states: States, at: datetime, ids: Ids) -> Decision:
        return categories.rename(tree_of(states), CategoryId(command.target), command.name, at=at)


class Move(OfTree[m.MoveCategory]):
    def decide(self, command: m.MoveCategory, states: States, at: datetime, ids: Ids) -> Decision:
        return categories.move(tree_of(states), CategoryId(command.target), command.parent_id, at=at)


class Remove(OfTree[m.RemoveCategory]):
    def decide(self, command: m.RemoveCategory, states: States, at: datetime, ids: Ids) -> Decision:
        return categories.remove(tree_of(states), CategoryId(command.target), at=at)


def check_new(states: States, what: str, id: UUID) -> None:
    """All aggregates of a context share one space of ids."""
    if id == TREE or states.get(id) is not None:
        raise AlreadyExists(what, id)


def check_category(states: States, id: CategoryId | None) -> None:
    if id is not None and id not in tree_of(states).nodes:
        raise NotFound("category", id)


def offer(states: States, product_id: ProductId, variant: Variant, at: datetime) -> Iterator[Event]:
    """What a new variant needs beside the product's own event: its SKU, and a stock of its own."""
    check_new(states, "variant", variant.id)
    yield sku.take(states.get(variant.claim_id, Claim), variant.claim_id, variant.sku, variant.id, at=at)
    yield stock.open_stock(variant.id, product_id, at=at)


def details_of(command: m.DraftProduct | m.EditProduct) -> Details:
    return Details(command.name, command.description, command.category_id, command.attributes)


class Draft(Handler[m.DraftClaimedProduct]):
    of = Product

    def needs(self, command: m.DraftClaimedProduct, states: States) -> Iterable[UUID]:
        tree = (TREE,) if command.category_id else ()
        return (command.id, *tree, *(v.id for v in command.variants), *command.claims)

    def decide(self, command: m.DraftClaimedProduct, states: States, at: datetime, ids: Ids) -> Decision:
        check_new(states, "product", command.id)
        check_category(states, command.category_id)
        variants = [
            Variant(v.id, v.sku, claim, v.values, v.price)
            for v, claim in zip(command.variants, command.claims, strict=True)
        ]
        if command.id in {v.id for v in variants}:
            raise InvalidValue(f"a variant cannot have the product's id {command.id}", id=str(command.id))
        events: list[Any] = product.draft(
            command.id, details_of(command), command.images, command.options, variants, at=at
        )
        for variant in variants:
            events += offer(states, command.id, variant, at)
        return events


class Edit(Handler[m.EditProduct]):
    of = Product

    def needs(self, command: m.EditProduct, states: States) -> Iterable[UUID]:
        return (command.target, TREE) if command.category_id else (command.target,)

    def decide(self, command: m.EditProduct, states: States, at: datetime, ids: Ids) -> Decision:
        found = states[command.target, Product]
        if command.category_id != found.details.category_id:
            check_category(states, command.category_id)
        return product.edit(found, details_of(command), at=at)


class Arrange(Handler[m.ArrangeImages]):
    of = Product

    def decide(self, command: m.ArrangeImages, states: States, at: datetime, ids: Ids) -> Decision:
        return product.arrange_images(states[command.target, Product], command.images, at=at)


class Price(Handler[m.ChangePrice]):
    of = Product

    def decide(self, command: m.ChangePrice, states: States, at: datetime, ids: Ids) -> Decision:
        return product.change_price(states[command.target, Product], command.variant_id, command.price, at=at)


class Add(Handler[m.AddClaimedVariant]):
    of = Product

    def needs(self, command: m.AddClaimedVariant, states: States) -> Iterable[UUID]:
        return (command.target, command.variant_id, command.claim_id)

    def decide(self, command: m.AddClaimedVariant, states: States, at: datetime, ids: Ids) -> Decision:
        found = states[command.target, Product]
        variant = Variant(command.variant_id, command.sku, command.claim_id, command.values, command.price)
        added = product.add_variant(found, variant, at=at)
        return [added, *offer(states, found.id, variant, at)]


class RemoveOne(Handler[m.RemoveVariant]):
    of = Product

    def needs(self, command: m.RemoveVariant, states: States) -> Iterable[UUID]:
        found = states.get(command.target, Product)
        claims = [v.claim_id for v in found.variants if v.id == command.variant_id] if found else []
        return (command.target, command.variant_id, *claims)

    def decide(self, command: m.RemoveVariant, states: States, at: datetime, ids: Ids) -> Decision:
        found = states[command.target, Product]
        removed = product.remove_variant(found, command.variant_id, at=at)
        claim = states[found.variant(command.variant_id).claim_id, Claim]
        return [removed, sku.free(claim, at=at), stock.close(states[command.variant_id, Stock], at=at)]


class Activate(Handler[m.ActivateProduct]):
    of = Product

    def decide(self, command: m.ActivateProduct, states: States, at: datetime, ids: Ids) -> Decision:
        return product.activate(states[command.target, Product], at=at)


class Discontinue(Handler[m.DiscontinueProduct]):
    of = Product

    def decide(self, command: m.DiscontinueProduct, states: States, at: datetime, ids: Ids) -> Decision:
        return product.discontinue(states[command.target, Product], at=at)


class Receive(Handler[m.ReceiveStock]):
    of = Stock

    def decide(self, command: m.ReceiveStock, states: States, at: datetime, ids: Ids) -> Decision:
        return stock.receive(states[command.target, Stock], command.quantity, at=at)


class Adjust(Handler[m.AdjustStock]):
    of = Stock

    def decide(self, command: m.AdjustStock, states: States, at: datetime, ids: Ids) -> Decision:
        return stock.adjust(states[command.target, Stock], command.change, command.reason, at=at)


class Count(Handler[m.CountStock]):
    of = Stock

    def decide(self, command: m.CountStock, states: States, at: datetime, ids: Ids) -> Decision:
        return stock.count(states[command.target, Stock], command.counted, at=at)


class Threshold(Handler[m.SetThreshold]):
    of = Stock

    def decide(self, command: m.SetThreshold, states: States, at: datetime, ids: Ids) -> Decision:
        return stock.set_threshold(states[command.target, Stock], command.threshold, at=at)


class Hold(Handler[m.Reserve]):
    of = Reservation

    def needs(self, command: m.Reserve, states: States) -> Iterable[UUID]:
        return (command.id, *(line.variant_id for line in command.lines))

    def decide(self, command: m.Reserve, states: States, at: datetime, ids: Ids) -> Decision:
        check_new(states, "reservation", command.id)
        lines = reservation.summed(command.lines)
        return reservation.hold(command.id, command.order_id, lines, lambda id: states[id, Stock], at=at)


class OfReservation(Handler[C]):
    """The reservation names its stocks, so they are known once it is loaded."""

    of = Reservation

    def needs(self, command: C, states: States) -> Iterable[UUID]:
        found = states.get(command.target, Reservation)
        return (command.target, *(found.variants if found else ()))


class Commit(OfReservation[m.CommitReservation]):
    def decide(self, command: m.CommitReservation, states: States, at: datetime, ids: Ids) -> Decision:
        return reservation.commit(states[command.target, Reservation], lambda id: states[id, Stock], at=at)


class Release(OfReservation[m.ReleaseReservation]):
    def decide(self, command: m.ReleaseReservation, states: States, at: datetime, ids: Ids) -> Decision:
        return reservation.release(states[command.target, Reservation], lambda id: states[id, Stock], at=at)


class PutBack(OfReservation[m.PutBackReservation]):
    def decide(self, command: m.PutBackReservation, states: States, at: datetime, ids: Ids) -> Decision:
        return reservation.put_back(states[command.target, Reservation], lambda id: states[id, Stock], at=at)


class RestockOne(Handler[m.RestockReturn]):
    of = Restock

    def needs(self, command: m.RestockReturn, states: States) -> Iterable[UUID]:
        return (command.id, *(line.variant_id for line in command.lines or ()))

    def decide(self, command: m.RestockReturn, states: States, at: datetime, ids: Ids) -> Decision:
        present = states.get(command.id, Restock)
        return restock.restock(
            present, command.order_id, command.return_id, command.lines or (), lambda id: states[id, Stock], at=at
        )


HANDLERS: Handlers = {
    m.CreateCategory: Create(),
    m.RenameCategory: Rename(),
    m.MoveCategory: Move(),
    m.RemoveCategory: Remove(),
    m.DraftClaimedProduct: Draft(),
    m.EditProduct: Edit(),
    m.ArrangeImages: Arrange(),
    m.ChangePrice: Price(),
    m.AddClaimedVariant: Add(),
    m.RemoveVariant: RemoveOne(),
    m.ActivateProduct: Activate(),
    m.DiscontinueProduct: Discontinue(),
    m.ReceiveStock: Receive(),
    m.AdjustStock: Adjust(),
    m.CountStock: Count(),
    m.SetThreshold: Threshold(),
    m.Reserve: Hold(),
    m.CommitReservation: Commit(),
    m.ReleaseReservation: Release(),
    m.PutBackReservation: PutBack(),
    m.RestockReturn: RestockOne(),
}
