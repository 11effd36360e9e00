"""The catalogue's and the warehouse's part of the command API."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from commands.handler import Answer
from commands.products.handlers import category_answer
from commands.products.messages import (
    ActivateProduct,
    AddVariant,
    AdjustStock,
    ArrangeImages,
    ChangePrice,
    CommitReservation,
    CountStock,
    CreateCategory,
    DiscontinueProduct,
    DraftProduct,
    EditProduct,
    MoveCategory,
    PutBackReservation,
    ReceiveStock,
    ReleaseReservation,
    RemoveCategory,
    RemoveVariant,
    RenameCategory,
    Reserve,
    RestockReturn,
    SetThreshold,
)
from commands.products.prepare import claim_sku, claim_skus, what_came
from commands.route import CREATED, REQUIRED, Resource, Route
from domain.ids import CategoryId
from domain.products.categories import TREE, Categories
from domain.products.product import Product
from domain.products.reservation import Reservation
from domain.products.restock import Restock
from domain.products.stock import Stock

EDIT: Final = "catalogue:edit"
MOVE: Final = "stock:move"
HOLD: Final = "reservations:hold"

ROUTES: Final = [
    Route("/v1/categories", CreateCategory, EDIT, answer=CREATED),
    Route("/v1/categories/{id}/rename", RenameCategory, EDIT),
    Route("/v1/categories/{id}/move", MoveCategory, EDIT),
    Route("/v1/categories/{id}/remove", RemoveCategory, EDIT),
    Route("/v1/products", DraftProduct, EDIT, answer=CREATED, prepare=claim_skus),
    Route("/v1/products/{id}/edit", EditProduct, EDIT, edits=True),
    Route("/v1/products/{id}/arrange-images", ArrangeImages, EDIT, edits=True),
    Route("/v1/products/{id}/change-price", ChangePrice, EDIT),
    Route("/v1/products/{id}/add-variant", AddVariant, EDIT, prepare=claim_sku),
    Route("/v1/products/{id}/remove-variant", RemoveVariant, EDIT),
    Route("/v1/products/{id}/activate", ActivateProduct, EDIT),
    Route("/v1/products/{id}/discontinue", DiscontinueProduct, EDIT),
    Route("/v1/stock/{id}/receive", ReceiveStock, MOVE, key=REQUIRED),
    Route("/v1/stock/{id}/adjust", AdjustStock, MOVE, key=REQUIRED),
    Route("/v1/stock/{id}/count", CountStock, MOVE, key=REQUIRED),
    Route("/v1/stock/{id}/set-threshold", SetThreshold, MOVE),
    Route("/v1/reservations", Reserve, HOLD, key=REQUIRED, answer=CREATED),
    Route("/v1/reservations/{id}/commit", CommitReservation, HOLD, key=REQUIRED),
    Route("/v1/reservations/{id}/release", ReleaseReservation, HOLD, key=REQUIRED),
    Route("/v1/reservations/{id}/put-back", PutBackReservation, HOLD, key=REQUIRED),
    Route("/v1/restocks", RestockReturn, MOVE, key=REQUIRED, answer=CREATED, prepare=what_came),
]


def the_tree(_: UUID) -> UUID:
    return TREE


def show_category(tree: Categories, id: UUID) -> Answer:
    return category_answer(tree, tree[CategoryId(id)].id)


RESOURCES: Final = [
    Resource("categories", Categories, "products", "catalogue:look", stream=the_tree, show=show_category),
    Resource("products", Product, "products", EDIT),
    Resource("stock", Stock, "products", "stock:look"),
    Resource("reservations", Reservation, "products", "reservations:look"),
    Resource("restocks", Restock, "products", "stock:look"),
]
