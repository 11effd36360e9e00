"""Stripe's webhooks, read as the port's hooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from commands.payments.gateway import Hook, HookKind, HookRefused
from infra.gateway.reading import JSON, NotReadable, Reader, moment

KINDS = {
    "payment_intent": HookKind.INTENT,
    "charge": HookKind.INTENT,
    "refund": HookKind.REFUND,
    "dispute": HookKind.CHARGE_BACK,
}
"""By the kind of object that the message is about."""


def hook_of(body: bytes, reader: Reader) -> Hook:
    """Raises HookRefused."""
    try:
        event = json.loads(body)
        thing = event["data"]["object"]
        at = moment(event["created"])
        id, type = text(event["id"]), text(event["type"])
        kind = KINDS.get(thing.get("object"), HookKind.OTHER)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise HookRefused("MALFORMED", f"this is no event of Stripe's: {type_name(error)}: {error}") from error
    reference = reference_of(thing)
    if reference is None:
        return Hook(id, HookKind.OTHER, type, at, None, None)
    if thing["object"] != "payment_intent":
        return Hook(id, HookKind.REFUND if type == "charge.refunded" else kind, type, at, reference, None)
    try:
        return Hook(id, kind, type, at, reference, reader.intent(thing, at))
    except NotReadable as error:
        raise HookRefused("MALFORMED", str(error)) from error


def reference_of(thing: JSON) -> str | None:
    """The payment intent that it belongs to."""
    named = thing.get("id") if thing.get("object") == "payment_intent" else thing.get("payment_intent")
    named = named.get("id") if isinstance(named, Mapping) else named
    return named if isinstance(named, str) else None


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def type_name(error: Exception) -> str:
    return type(error).__name__
