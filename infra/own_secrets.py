"""The secrets an installation makes for itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from secrets import token_urlsafe
from typing import Final

from infra.settings import new_secret
from infra.tokens import new_key_set

SECRETS: Final[dict[str, Callable[[], str]]] = {
    "master_key": new_secret,
    "claim_secret": new_secret,
    "cursor_secret": new_secret,
    "token_keys": new_key_set,
    "gateway_key": new_secret,  # good for the sandbox, which takes any; Stripe's own is set by whoever has one
    "gateway_webhook_secrets": new_secret,
    "operator_password": partial(token_urlsafe, 12),
}
"""The settings that an installation without secrets of its own makes for itself, and how."""
