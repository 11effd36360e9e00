"""Access tokens: short-lived JWTs signed with ES256, checked once and then remembered until they expire."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError

from domain.access import AccountBlocked, TokenExpired, TokenInvalid
from domain.actor import Actor, Role, service
from domain.ids import new_id
from infra.tokens.keys import SigningKeys

ALGORITHMS: Final = ["ES256"]
LONGEST: Final = 4096  # characters
REMEMBERED: Final = 10_000  # tokens
REFRESH_BYTES: Final = 32
KINDS: Final = ["user", "service"]
USER_ROLES: Final = frozenset(Role) - {Role.SERVICE}

Clock = Callable[[], float]
Blocked = Callable[[UUID], bool]


def nobody(_: UUID) -> bool:
    return False


class Tokens:
    """Makes and checks tokens. `issuer` is also the audience; `blocked(user)` is asked at every use of a token."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str = "chobo",
        seconds: int = 300,
        blocked: Blocked = nobody,
        clock: Clock = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._seconds = seconds
        self._blocked = blocked
        self._clock = clock
        self._known: dict[str, tuple[Actor, float]] = {}
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            kind={"essential": True, "values": KINDS},
        )

    def access(self, actor: Actor) -> tuple[str, int]:
        """An access token and the seconds until it expires."""
        return self.lasting(actor, self._seconds), self._seconds

    def service(self, name: str, seconds: int) -> str:
        """The token of another process of ours."""
        return self.lasting(service(name), seconds)

    def lasting(self, actor: Actor, seconds: int) -> str:
        now = int(self._clock())
        key = self._keys.signing
        claims = {
            "sub": str(actor.id) if actor.id else actor.name,
            "kind": "user" if actor.id else "service",
            "roles": sorted(actor.roles),
            "iss": self._issuer,
            "aud": self._issuer,
            "iat": now,
            "exp": now + seconds,
            "jti": str(new_id()),
        }
        return jwt.encode({"alg": "ES256", "kid": key.kid or key.thumbprint()}, claims, key)

    def authenticate(self, token: str) -> Actor:
        """Raises TokenInvalid, TokenExpired, AccountBlocked."""
        actor, expires = self._known.get(token) or self._checked(token)
        if expires <= self._clock():
            self._known.pop(token, None)
            raise TokenExpired
        if actor.id is not None and self._blocked(actor.id):
            raise AccountBlocked
        return actor

    def public_keys(self) -> Mapping[str, Any]:
        """For `/.well-known/jwks.json`."""
        return self._keys.public()

    def new_refresh(self) -> tuple[str, str]:
        """A refresh token, to be given away and forgotten, and the hash to be stored."""
        text = token_urlsafe(REFRESH_BYTES)
        return text, self.refresh_hash(text)

    def refresh_hash(self, text: str) -> str:
        """Plain SHA-256: a random text of 256 bits needs no salt and cannot be guessed."""
        return sha256(text.encode()).hexdigest()

    def _checked(self, token: str) -> tuple[Actor, float]:
        claims = self._verified(token)
        known = named(claims), float(claims["exp"])
        if len(self._known) >= REMEMBERED:
            self._known.pop(next(iter(self._known)))  # the one that came first
        self._known[token] = known
        return known

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise TokenInvalid(f"it is longer than {LONGEST} characters")
        try:
            decoded = jwt.decode(token, self._key, ALGORITHMS)
            self._claims.validate(decoded.claims)
        except ExpiredTokenError:
            raise TokenExpired from None
        except JoseError as error:
            raise TokenInvalid(error.error.replace("_", " ")) from None
        except (ValueError, TypeError, KeyError, AttributeError):  # what the library lets through of broken tokens
            raise TokenInvalid("it cannot be read") from None
        return decoded.claims

    def _key(self, token: Any) -> Any:
        """The key a token names. One that names none is refused: guessing invites confusion of keys."""
        try:
            return self._keys[token.headers()["kid"]]
        except (KeyError, TypeError):
            raise TokenInvalid("no key of ours signed it") from None


def named(claims: Mapping[str, Any]) -> Actor:
    """Who the claims are about. Roles we do not know give nothing; a user is never a service."""
    if claims["kind"] == "service":
        return service(str(claims["sub"]))
    try:
        id = UUID(claims["sub"])
    except (ValueError, AttributeError, TypeError):
        raise TokenInvalid("its subject is not a user") from None
    return Actor(id, frozenset(role for role in USER_ROLES if role in claims.get("roles", ())))
