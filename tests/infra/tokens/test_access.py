"""Access tokens are taken from nobody else, and not a second too long."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from domain.access import AccountBlocked, TokenExpired, TokenInvalid
from domain.actor import Actor, Role, service
from domain.ids import new_id
from infra.tokens import SigningKeys, Tokens, new_key_set
from infra.tokens.keys import BadKeys

ANN = Actor(new_id(), frozenset({Role.CUSTOMER, Role.STAFF}))


class Clock:
    """Starts at the present second."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> SigningKeys:
    return SigningKeys(new_key_set())


@pytest.fixture
def tokens(keys: SigningKeys, clock: Clock) -> Tokens:
    return Tokens(keys, clock=clock)


def claims(clock: Clock, **changes: Any) -> dict[str, Any]:
    now = int(clock())
    good = {"sub": str(ANN.id), "kind": "user", "roles": ["customer"], "iss": "chobo", "aud": "chobo"}
    return {k: v for k, v in {**good, "iat": now, "exp": now + 60, **changes}.items() if v is not None}


def signed(keys: SigningKeys, claims: dict[str, Any], **header: Any) -> str:
    headers = {"alg": "ES256", "kid": keys.signing.kid or keys.signing.thumbprint(), **header}
    return jwt.encode({k: v for k, v in headers.items() if v is not None}, claims, keys.signing)


def test_a_user_is_recognised_with_all_roles(tokens: Tokens):
    text, seconds = tokens.access(ANN)
    assert tokens.authenticate(text) == ANN
    assert seconds == 300


def test_a_service_is_recognised_by_name(tokens: Tokens):
    assert tokens.authenticate(tokens.service("checkout", 60)) == service("checkout")


def test_a_token_made_by_hand_like_ours_is_good(tokens: Tokens, keys: SigningKeys, clock: Clock):
    assert tokens.authenticate(signed(keys, claims(clock))).id == ANN.id


def test_a_token_ends_when_it_says_so_though_it_is_remembered(tokens: Tokens, clock: Clock):
    text, seconds = tokens.access(ANN)
    clock.now += seconds - 1
    assert tokens.authenticate(text) == ANN
    clock.now += 1
    for _ in range(2):
        with pytest.raises(TokenExpired):
            tokens.authenticate(text)


def test_an_expired_token_that_was_never_seen_is_expired(tokens: Tokens, clock: Clock):
    text, _ = tokens.access(ANN)
    clock.now += 301
    with pytest.raises(TokenExpired):
        tokens.authenticate(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"exp": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"iat": None},
        {"kind": None},
        {"kind": "robot"},
        {"sub": "ann"},
        {"sub": 7},
        {"exp": "tomorrow"},
        {"nbf": 99_999_999_999},
        {"iat": 99_999_999_999},
    ],
    ids=str,
)
def test_claims_that_are_missing_or_not_for_us_are_refused(
    tokens: Tokens, keys: SigningKeys, clock: Clock, changes: dict[str, Any]
):
    with pytest.raises(TokenInvalid):
        tokens.authenticate(signed(keys, claims(clock, **changes)))


def test_a_user_is_never_a_service(tokens: Tokens, keys: SigningKeys, clock: Clock):
    actor = tokens.authenticate(signed(keys, claims(clock, roles=["service", "admin", "unheard-of"])))
    assert actor.roles == {Role.ADMIN}


def test_alg_none_is_refused(tokens: Tokens, keys: SigningKeys, clock: Clock):
    _, body, _ = signed(keys, claims(clock)).split(".")
    header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for signature in ("", "x"):
        with pytest.raises(TokenInvalid):
            tokens.authenticate(f"{header}.{body}.{signature}")


def test_hmac_under_the_public_key_is_refused(tokens: Tokens, keys: SigningKeys, clock: Clock):
    public = keys.signing.get_op_key("verify").public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = unsigned({"alg": "HS256", "kid": keys.signing.thumbprint()}, claims(clock))
    with pytest.raises(TokenInvalid):
        tokens.authenticate(f"{text}.{base64(hmac.digest(public, text.encode(), 'sha256'))}")


def base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(*parts: dict[str, Any]) -> str:
    """Header and body by hand: the library refuses to make what is forged here."""
    return ".".join(base64(json.dumps(part).encode()) for part in parts)


def test_another_key_is_refused_even_under_our_kid(tokens: Tokens, keys: SigningKeys, clock: Clock):
    other = SigningKeys(new_key_set())
    ours = keys.signing.kid or keys.signing.thumbprint()
    for kid in (ours, None, "x", 7, {"a": 1}, other.signing.thumbprint()):
        with pytest.raises(TokenInvalid):
            tokens.authenticate(signed_with(other.signing, kid, claims(clock)))


def signed_with(key: ECKey, kid: Any, body: dict[str, Any]) -> str:
    text = unsigned({"alg": "ES256", **({} if kid is None else {"kid": kid})}, body)
    r, s = decode_dss_signature(key.get_op_key("sign").sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{base64(r.to_bytes(32) + s.to_bytes(32))}"


def test_a_changed_token_is_refused(tokens: Tokens):
    text, _ = tokens.access(ANN)
    head, body, signature = text.split(".")
    for changed in (f"{head}.{body[:-4]}AAAA.{signature}", f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}."):
        with pytest.raises(TokenInvalid):
            tokens.authenticate(changed)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\x00", "é", "e30.e30.e30", "x" * 5000, "[].[].[]"])
def test_rubbish_is_refused(tokens: Tokens, text: str):
    with pytest.raises(TokenInvalid):
        tokens.authenticate(text)


def test_a_blocked_user_is_refused_with_a_token_that_was_good_a_moment_ago(keys: SigningKeys, clock: Clock):
    blocked: set[UUID] = set()
    tokens = Tokens(keys, clock=clock, blocked=blocked.__contains__)
    text, _ = tokens.access(ANN)
    assert tokens.authenticate(text) == ANN
    assert ANN.id is not None
    blocked.add(ANN.id)
    with pytest.raises(AccountBlocked):
        tokens.authenticate(text)


def test_keys_rotate_by_kid(clock: Clock):
    old, new = (json.loads(new_key_set())["keys"][0] for _ in range(2))
    before = Tokens(SigningKeys(json.dumps({"keys": [old]})), clock=clock)
    during = Tokens(SigningKeys(json.dumps({"keys": [new, old]})), clock=clock)
    after = Tokens(SigningKeys(json.dumps({"keys": [new]})), clock=clock)
    old_token, new_token = before.access(ANN)[0], during.access(ANN)[0]
    assert during.authenticate(old_token) == during.authenticate(new_token) == after.authenticate(new_token) == ANN
    with pytest.raises(TokenInvalid):
        after.authenticate(old_token)


def test_others_can_check_our_tokens_with_the_published_keys_which_hold_nothing_private(tokens: Tokens):
    published = tokens.public_keys()
    assert "d" not in published["keys"][0]
    decoded = jwt.decode(tokens.access(ANN)[0], KeySet.import_key_set({"keys": list(published["keys"])}), ["ES256"])
    assert decoded.claims["sub"] == str(ANN.id)
    assert set(decoded.claims) == {"sub", "kind", "roles", "iss", "aud", "iat", "exp", "jti"}


def test_no_more_than_so_many_tokens_are_remembered(tokens: Tokens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infra.tokens.access.REMEMBERED", 2)
    for _ in range(4):
        tokens.authenticate(tokens.access(ANN)[0])
    assert len(tokens._known) == 2


def test_a_refresh_token_is_long_random_and_known_by_its_hash(tokens: Tokens):
    (one, its_hash), (two, _) = tokens.new_refresh(), tokens.new_refresh()
    assert one != two
    assert len(one) >= 43  # 256 bits in base64
    assert its_hash == tokens.refresh_hash(one)
    assert one not in its_hash


KEYS_TWICE = {"keys": [json.loads(new_key_set())["keys"][0] | {"kid": "same"} for _ in range(2)]}
OCT = {"keys": [{"kty": "oct", "k": "A" * 43}]}
PUBLIC = SigningKeys(new_key_set()).public()


@pytest.mark.parametrize("keys", ["{}", '{"keys": []}', "{", *map(json.dumps, (KEYS_TWICE, OCT, PUBLIC))])
def test_keys_that_cannot_sign_or_be_told_apart_are_refused(keys: str):
    with pytest.raises(BadKeys):
        SigningKeys(keys)


def test_one_secret_gives_one_key():
    assert SigningKeys("a secret").public() == SigningKeys("a secret").public() != SigningKeys("b").public()
