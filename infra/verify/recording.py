"""Records what a comparison found at the gateway. It moves no money: it is what a webhook would have told."""

from __future__ import annotations

from typing import Final

from commands.payments.gateway import Hook, HookKind, Intent
from commands.payments.messages import ReceiveHook, RecordIntent
from commands.reply import Envelope
from commands.services import Loop
from domain.actor import service
from domain.ids import PaymentId
from domain.payments.webhook import webhook_of
from infra.verify.payments import Record

BY: Final = service("verify")


def recording(payments: Loop, gateway: str) -> Record:
    """By commands to the write loop of payments. What is no payment's is kept like a webhook that is no payment's."""

    async def record(intent: Intent, payment_id: PaymentId | None) -> None:
        if payment_id is not None:
            command = RecordIntent(intent=intent).bind(by=BY, target=payment_id)
            await tell(command)
            return
        seen = ReceiveHook(gateway=gateway, hook=hook_of(intent))
        await tell(seen.bind(by=BY, target=webhook_of(gateway, seen.hook.id)))

    async def tell(command: RecordIntent | ReceiveHook) -> None:
        (await payments.submit(Envelope(command, f"verify/{command.target}"))).result()

    return record


def hook_of(intent: Intent) -> Hook:
    """The same as long as the attempt stands as it does: each state of it is kept once."""
    id = f"seen/{intent.reference}/{intent.status}/{intent.captured.amount}"
    return Hook(id, HookKind.INTENT, "verify", intent.at, intent.reference, None)
