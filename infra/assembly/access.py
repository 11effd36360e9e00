"""Who may command and ask."""

from __future__ import annotations

from datetime import timedelta

from infra.assembly.ground import Ground
from infra.databases import READS
from infra.tokens import SigningKeys, Tokens
from projections.users.blocked import Blocked


def tokens_of(ground: Ground) -> Tokens:
    """They stop within seconds for who is blocked."""
    settings = ground.settings
    life = settings.token_access_seconds
    blocked = Blocked(ground.databases.pool(READS), timedelta(seconds=life))
    ground.background(blocked.run())
    keys = SigningKeys(settings.token_keys.get_secret_value())
    return Tokens(keys, issuer=settings.token_issuer, seconds=life, blocked=blocked.__contains__)
