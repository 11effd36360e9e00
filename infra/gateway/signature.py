"""Stripe's signature of a webhook: `t=<unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`, one v1 for each secret."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from commands.payments.gateway import HookRefused

HEADER: Final = b"stripe-signature"
WINDOW: Final = 300.0
"""Seconds by which the time of a message may differ from ours, before or after."""


def sign(body: bytes, at: datetime, *secrets: str) -> str:
    """The header's value."""
    time = str(int(at.timestamp()))
    return ",".join([f"t={time}", *(f"v1={_mac(secret, time, body)}" for secret in secrets)])


def check(body: bytes, headers: Mapping[bytes, bytes], secrets: Sequence[str], now: datetime) -> None:
    """Any one of the secrets will do: that is how one is rotated. Raises HookRefused."""
    time, macs = _read(headers)
    expected = [_mac(secret, time, body) for secret in secrets]
    if not any(hmac.compare_digest(mac, known) for mac in macs for known in expected):
        raise HookRefused("SIGNATURE", "no signature of the webhook is by a secret that is known here")
    if abs(now.timestamp() - int(time)) > WINDOW:
        raise HookRefused("TOO_OLD", f"the webhook was signed at {time}, more than {WINDOW:.0f} s from now")


def _read(headers: Mapping[bytes, bytes]) -> tuple[str, list[str]]:
    value = next((value for name, value in headers.items() if name.lower() == HEADER), None)
    if value is None:
        raise HookRefused("SIGNATURE", "the webhook has no header Stripe-Signature")
    pairs = [part.strip().partition("=") for part in value.decode("latin-1").split(",")]
    time = next((text for name, _, text in pairs if name == "t"), "")
    macs = [text for name, _, text in pairs if name == "v1" and text.isascii()]
    if not (time.isascii() and time.isdigit() and len(time) <= 12) or not macs:
        raise HookRefused("SIGNATURE", "the header Stripe-Signature must be t=<unix seconds>,v1=<signature>")
    return time, macs


def _mac(secret: str, time: str, body: bytes) -> str:
    return hmac.new(secret.encode(), time.encode() + b"." + body, sha256).hexdigest()
