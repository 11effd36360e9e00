"""Who somebody is: signed access tokens, opaque refresh tokens, hashed passwords."""

from infra.tokens.access import Tokens
from infra.tokens.keys import SigningKeys, new_key_set
from infra.tokens.passwords import Argon2Passwords

__all__ = ["Argon2Passwords", "SigningKeys", "Tokens", "new_key_set"]
