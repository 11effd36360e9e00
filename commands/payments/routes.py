"""Everything that can be asked for about payments, and by whom."""

from __future__ import annotations

from typing import Final

from commands.payments.messages import CapturePayment, GiveBack, PayOrder, RefundPayment, VoidPayment
from commands.payments.prepare import chosen
from commands.route import ACCEPTED, CREATED, REQUIRED, Resource, Route
from domain.payments.payment import Payment

PROCESS = "payments:process"

ROUTES: Final = [
    Route("/v1/payments", PayOrder, PROCESS, key=REQUIRED, answer=CREATED, prepare=chosen),
    Route("/v1/payments/{id}/capture", CapturePayment, PROCESS, key=REQUIRED, answer=ACCEPTED),
    Route("/v1/payments/{id}/void", VoidPayment, PROCESS, key=REQUIRED, answer=ACCEPTED),
    Route("/v1/payments/{id}/refund", RefundPayment, "payments:refund", key=REQUIRED, answer=ACCEPTED),
    Route("/v1/payments/{id}/give-back", GiveBack, PROCESS, key=REQUIRED, answer=ACCEPTED),
]

RESOURCES: Final = [
    Resource("payments", Payment, "payments", "payments:look", owner=lambda payment: payment.customer_id),
]
