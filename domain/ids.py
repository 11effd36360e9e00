"""Identifiers: UUIDv7 for what is new, uuid5 for what follows from something else."""

from __future__ import annotations

import zlib
from typing import Final, NewType
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

UserId = NewType("UserId", UUID)
CredentialsId = NewType("CredentialsId", UUID)
ClaimId = NewType("ClaimId", UUID)
ProductId = NewType("ProductId", UUID)
VariantId = NewType("VariantId", UUID)
CategoryId = NewType("CategoryId", UUID)
ReservationId = NewType("ReservationId", UUID)
OrderId = NewType("OrderId", UUID)
PaymentId = NewType("PaymentId", UUID)
ShipmentId = NewType("ShipmentId", UUID)
ReturnId = NewType("ReturnId", UUID)
AttemptId = NewType("AttemptId", UUID)
CaptureId = NewType("CaptureId", UUID)
RefundId = NewType("RefundId", UUID)
SagaId = NewType("SagaId", UUID)
OperationId = NewType("OperationId", UUID)
NotificationId = NewType("NotificationId", UUID)

NAMESPACE: Final = UUID("0b0c0bb0-c0b0-5c0b-8c0b-c0b0c0b0c0b0")
"""The root of every derived id. It is part of what is stored and never changes."""

SLICES: Final = 64


def new_id() -> UUID:
    """A fresh UUIDv7: roughly ordered by time, which keeps indexes compact."""
    return uuid7()


def derive(kind: str, of: UUID | str) -> UUID:
    """The one id that belongs to `of` for this `kind`: the same everywhere and for ever."""
    return uuid5(NAMESPACE, f"{kind}/{of}")


def payment_of(order_id: OrderId) -> PaymentId:
    """The one payment of an order."""
    return PaymentId(derive("payment", order_id))


def refund_of(order_id: OrderId, return_id: ReturnId) -> RefundId:
    """The one refund of a return. Clients choose ids of returns: with the order's it cannot meet another order's."""
    return RefundId(derive("refund", f"{order_id}/{return_id}"))


def checkout_of(payment_id: PaymentId) -> SagaId:
    """The saga that checks out an order, by its payment's id: events of orders and of payments both lead to that."""
    return SagaId(derive("saga/checkout", payment_id))


def cancellation_of(payment_id: PaymentId) -> SagaId:
    """The saga that cancels an order."""
    return SagaId(derive("saga/cancellation", payment_id))


def return_of(refund_id: RefundId) -> SagaId:
    """The saga that settles one return, by its refund's id."""
    return SagaId(derive("saga/return", refund_id))


def slice_of(id: UUID) -> int:
    """The slice, 0..63, an aggregate belongs to: CRC-32 of the id's 16 bytes. SQL's `chobo_slice` says the same."""
    return zlib.crc32(id.bytes) % SLICES
