"""Payments: what an order's money did."""

from domain.aggregate import Context
from domain.payments.events import PaymentEvent
from domain.payments.payment import evolve

CONTEXT = Context("payments", {PaymentEvent: evolve})
