"""Pages of other origins: which may ask, and what of an answer they may see."""

from __future__ import annotations

from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from infra.settings import Settings

TAKEN: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "Prefer",
    "Consistency-Token",
    "Last-Event-ID",
    "X-Correlation-ID",
    "Traceparent",
    "GraphQL-Require-Preflight",
    "Apollo-Require-Preflight",
)
"""Request headers that they may send."""

TOLD: Final = (
    "ETag",
    "Location",
    "Consistency-Token",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotent-Replayed",
    "X-Correlation-ID",
)
"""Response headers that they may read."""

DAY: Final = 86_400  # seconds for which a browser need not ask again


def cross_origin(settings: Settings) -> list[Middleware]:
    """None without a setting. Nothing of ours goes by cookies, so none are let through."""
    if not (origins := settings.origins()):
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=TAKEN,
            expose_headers=TOLD,
            max_age=DAY,
        )
    ]
