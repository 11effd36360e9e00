"""Why somebody was not recognised. Raised by whoever checks a token; both APIs answer 401 with these codes."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class Unauthenticated(DomainError):
    """No token came with the request."""

    code = "UNAUTHENTICATED"
    title = "You are not signed in"
    kind = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("send an access token: Authorization: Bearer <token>")


class TokenInvalid(DomainError):
    """The token is not one of ours, is not meant for us, or has been tampered with."""

    code = "TOKEN_INVALID"
    title = "The access token is not valid"
    kind = Kind.UNAUTHENTICATED

    def __init__(self, why: str) -> None:
        super().__init__(f"the access token is not valid: {why}")


class TokenExpired(DomainError):
    """The token was good once. Get another with the refresh token."""

    code = "TOKEN_EXPIRED"
    title = "The access token has expired"
    kind = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("the access token has expired: get another with POST /v1/sessions/refresh")


class AccountBlocked(DomainError):
    """The user was suspended or erased after the token was given out."""

    code = "ACCOUNT_BLOCKED"
    title = "This account may not be used at present"
    kind = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("this account is suspended or erased; its tokens no longer work")
