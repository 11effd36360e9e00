"""The catalogue and the warehouse: products, SKUs, stock, reservations, the category tree."""

from __future__ import annotations

from domain import claim
from domain.aggregate import Context
from domain.claim import ClaimEvent
from domain.products import categories, product, reservation, restock, stock
from domain.products.events import CategoryEvent, ProductEvent, ReservationEvent, RestockEvent, StockEvent
from domain.products.stock import Stock

CONTEXT = Context(
    "products",
    {
        ProductEvent: product.evolve,
        StockEvent: stock.evolve,
        ReservationEvent: reservation.evolve,
        RestockEvent: restock.evolve,
        CategoryEvent: categories.evolve,
        ClaimEvent: claim.evolve,
    },
    snapshots=(Stock,),
)
