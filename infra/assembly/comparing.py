"""The background comparison of payments, with what this process has anyway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from domain import orders, payments
from infra.assembly.ground import Ground
from infra.assembly.writing import WriteLoops
from infra.telemetry.probes import compared
from infra.verify.payment_watch import PaymentWatch
from infra.verify.payments import PaymentCheck
from infra.verify.recording import recording

LOOKS_BACK: Final = timedelta(days=30)
"""Payments and orders that have not changed for so long are left to `chobo verify payments`."""


def payment_watch(ground: Ground, loops: WriteLoops) -> None:
    every = ground.settings.verify_payments_hours * 3600
    if not every:
        return
    ours, others = payments.CONTEXT.name, orders.CONTEXT.name
    pools = {name: ground.databases.pool(name) for name in (ours, others)}

    def check() -> PaymentCheck:
        since, record = datetime.now(UTC) - LOOKS_BACK, recording(loops[ours], ground.gateway.name)
        return PaymentCheck(pools, loops[ours], loops[others], ground.gateway, since, record=record)

    watch = PaymentWatch(ground.databases.conninfo(ours), check, every)
    ground.background(watch.run())
    ground.telemetry.metrics.probe("payments", compared(watch))
