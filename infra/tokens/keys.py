"""The keys that sign access tokens: ES256, told apart by `kid`, the first one signs.

To rotate: put a new key first, wait until the longest-lived token has expired, take the old one away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

CURVE: Final = "P-256"
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (FIPS 186-5): private keys are 1 to one less."""


class BadKeys(Exception):
    """CHOBO_TOKEN_KEYS cannot be used. The message has nothing secret."""


class SigningKeys:
    """Keys by `kid`; a key without one gets its thumbprint (RFC 7638). Raises BadKeys."""

    def __init__(self, text: str) -> None:
        """`text` is a JWK set of private keys, or a secret from which one key is derived."""
        keys = list(of_set(text)) if text.lstrip().startswith("{") else [derived(text)]
        self._keys: dict[str, ECKey] = {kid(key): key for key in keys}
        if len(self._keys) < len(keys):
            raise BadKeys("two of the keys have the same kid")
        self.signing = keys[0]

    def __getitem__(self, kid: str) -> ECKey:
        """Raises KeyError for a key that is not, or no longer, ours."""
        return self._keys[kid]

    def public(self) -> Mapping[str, Any]:
        """The JWK set that others check our tokens with."""
        return {"keys": [published(kid, key) for kid, key in self._keys.items()]}


def of_set(text: str) -> list[ECKey]:
    try:
        keys = KeySet.import_key_set(json.loads(text)).keys
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise BadKeys(f"it is not a JWK set: {type(error).__name__}") from None
    usable = [key for key in keys if isinstance(key, ECKey) and key.curve_name == CURVE and key.is_private]
    if not usable or len(usable) < len(keys):
        raise BadKeys(f"every key must be a private EC key on {CURVE}, and there must be one")
    return usable


def derived(secret: str) -> ECKey:
    """The same secret gives the same key, in every process and after every restart."""
    seed = b"".join(sha256(b"chobo token key %d " % n + secret.encode()).digest() for n in (1, 2))
    private = ec.derive_private_key(int.from_bytes(seed) % (ORDER - 1) + 1, ec.SECP256R1())
    return ECKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def new_key_set() -> str:
    """A JWK set of one fresh private key, as a setting."""
    key = ECKey.generate_key(CURVE, private=True)
    return json.dumps({"keys": [{**key.as_dict(private=True), "kid": kid(key)}]})


def kid(key: ECKey) -> str:
    return key.kid or key.thumbprint()


def published(kid: str, key: ECKey) -> dict[str, Any]:
    public = {name: value for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
    return {**public, "kid": kid, "use": "sig", "alg": "ES256"}
