"""Orders: from a cart to the goods that came back."""

from domain.aggregate import Context
from domain.orders.events import OrderEvent
from domain.orders.order import evolve

CONTEXT = Context("orders", {OrderEvent: evolve})
