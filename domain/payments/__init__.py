"""Payments: what an order's money did, and what the gateway sent us."""

from domain.aggregate import Context
from domain.payments import webhook
from domain.payments.events import PaymentEvent
from domain.payments.payment import evolve
from domain.payments.webhook import WebhookEvent

CONTEXT = Context("payments", {PaymentEvent: evolve, WebhookEvent: webhook.evolve})
