"""What happens to products, their SKUs, their stock, reservations and the category tree."""

from __future__ import annotations

from domain.claim import Freed, Taken
from domain.event import Event
from domain.ids import CategoryId, ClaimId, OrderId, ProductId, ReservationId, ReturnId, VariantId
from domain.money import Money
from domain.products.value import (
    AdjustReason,
    Attributes,
    CategoryName,
    Description,
    Images,
    OptionNames,
    OptionValues,
    Quantity,
    ReservedLine,
    ReturnedLine,
    Title,
)
from domain.value import Sku


class ProductEvent(Event):
    """Every event of a product. Its id is the product's."""


class ProductDrafted(ProductEvent):
    """The product exists; nobody can buy it yet. Its variants follow in the same append."""

    TOPIC = "products.product-drafted"

    name: Title
    description: Description
    category_id: CategoryId | None
    attributes: Attributes
    images: Images
    options: OptionNames


class ProductEdited(ProductEvent):
    """What is said about the product is now this, all of it."""

    TOPIC = "products.product-edited"

    name: Title
    description: Description
    category_id: CategoryId | None
    attributes: Attributes


class ImagesArranged(ProductEvent):
    """The product's images are now these, in this order."""

    TOPIC = "products.images-arranged"

    images: Images


class VariantAdded(ProductEvent):
    """A variant with its first price. `claim_id` is the claim that keeps its SKU unique."""

    TOPIC = "products.variant-added"

    variant_id: VariantId
    sku: Sku
    claim_id: ClaimId
    values: OptionValues
    price: Money


class VariantRemoved(ProductEvent):
    TOPIC = "products.variant-removed"

    variant_id: VariantId


class PriceChanged(ProductEvent):
    """Both prices, so that the history follows from the events alone."""

    TOPIC = "products.price-changed"

    variant_id: VariantId
    old: Money
    new: Money


class ProductActivated(ProductEvent):
    """From now on it can be seen and bought."""

    TOPIC = "products.product-activated"


class ProductDiscontinued(ProductEvent):
    TOPIC = "products.product-discontinued"


class SkuTaken(Taken):
    """`holder` is the variant."""

    TOPIC = "products.sku-taken"


class SkuFreed(Freed):
    TOPIC = "products.sku-freed"


class StockEvent(Event):
    """Every event of a variant's stock. Its id is the variant's."""


class StockOpened(StockEvent):
    """The variant has a stock, empty still. It names the product: so a variant's id alone leads to its product."""

    TOPIC = "products.stock-opened"

    product_id: ProductId


class StockReceived(StockEvent):
    TOPIC = "products.stock-received"

    quantity: Quantity


class StockAdjusted(StockEvent):
    """`change` units more (or, negative, fewer) are on hand, for a reason."""

    TOPIC = "products.stock-adjusted"

    change: int
    reason: AdjustReason


class StockCounted(StockEvent):
    """Somebody counted: `counted` units are on hand; the books said `expected`."""

    TOPIC = "products.stock-counted"

    counted: int
    expected: int


class ThresholdSet(StockEvent):
    """At `threshold` available units and fewer the stock is low."""

    TOPIC = "products.threshold-set"

    threshold: int


class StockReserved(StockEvent):
    TOPIC = "products.stock-reserved"

    reservation_id: ReservationId
    order_id: OrderId
    quantity: Quantity


class StockCommitted(StockEvent):
    """The held units have left the house."""

    TOPIC = "products.stock-committed"

    reservation_id: ReservationId
    order_id: OrderId
    quantity: Quantity


class StockReleased(StockEvent):
    """The held units are available again."""

    TOPIC = "products.stock-released"

    reservation_id: ReservationId
    order_id: OrderId
    quantity: Quantity


class StockReturned(StockEvent):
    """Units that had left the house for this order are on hand again."""

    TOPIC = "products.stock-returned"

    order_id: OrderId
    quantity: Quantity


class StockRanLow(StockEvent):
    TOPIC = "products.stock-ran-low"

    available: int


class StockRanOut(StockEvent):
    TOPIC = "products.stock-ran-out"


class StockCameBack(StockEvent):
    """There is some again after there was none."""

    TOPIC = "products.stock-came-back"

    available: int


class StockClosed(StockEvent):
    """The variant is gone; `written_off` units that were still on hand are no longer counted."""

    TOPIC = "products.stock-closed"

    written_off: int


class ReservationEvent(Event):
    """Every event of a reservation: which stocks it holds, for which order."""


class ReservationHeld(ReservationEvent):
    TOPIC = "products.reservation-held"

    order_id: OrderId
    lines: tuple[ReservedLine, ...]


class ReservationCommitted(ReservationEvent):
    TOPIC = "products.reservation-committed"

    order_id: OrderId


class ReservationReleased(ReservationEvent):
    TOPIC = "products.reservation-released"

    order_id: OrderId


class ReservationReturned(ReservationEvent):
    """What had left the house is back. `written_off` are lines of variants that are gone: nobody counts those units."""

    TOPIC = "products.reservation-returned"

    order_id: OrderId
    written_off: tuple[ReservedLine, ...]


class RestockEvent(Event):
    """Every event of a restock: the goods of one return, back on the shelves."""


class ReturnRestocked(RestockEvent):
    TOPIC = "products.return-restocked"

    order_id: OrderId
    return_id: ReturnId
    lines: tuple[ReturnedLine, ...]


class CategoryEvent(Event):
    """Every event of the one category tree."""

    category_id: CategoryId


class CategoryCreated(CategoryEvent):
    """`parent_id` None: at the top."""

    TOPIC = "products.category-created"

    name: CategoryName
    parent_id: CategoryId | None


class CategoryRenamed(CategoryEvent):
    TOPIC = "products.category-renamed"

    name: CategoryName


class CategoryMoved(CategoryEvent):
    """The category, with all that is below it, is now under `parent_id`."""

    TOPIC = "products.category-moved"

    parent_id: CategoryId | None


class CategoryRemoved(CategoryEvent):
    TOPIC = "products.category-removed"
