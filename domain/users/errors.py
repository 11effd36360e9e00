"""Why something about a user was refused. None of them tells a personal value."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from domain.actor import Role
from domain.errors import DomainError, Kind


class EmailTaken(DomainError):
    code = "EMAIL_TAKEN"
    title = "This e-mail address belongs to another account"

    def __init__(self) -> None:
        super().__init__("there is an account with this e-mail address: sign in, or take another address")


class TooManyAddresses(DomainError):
    code = "TOO_MANY_ADDRESSES"
    title = "The address book is full"

    def __init__(self, most: int) -> None:
        super().__init__(f"an address book holds at most {most} addresses: remove one first", maximum=most)


class RoleNotGrantable(DomainError):
    code = "ROLE_NOT_GRANTABLE"
    title = "This role cannot be granted or revoked"
    kind = Kind.INVALID

    def __init__(self, role: Role, grantable: Iterable[Role]) -> None:
        names = sorted(str(r) for r in grantable)
        super().__init__(
            f"the role {role} cannot be granted or revoked: {', '.join(names)} can", role=str(role), allowed=names
        )


class OwnRole(DomainError):
    code = "OWN_ROLE"
    title = "You cannot take a role from yourself"

    def __init__(self, role: Role) -> None:
        super().__init__(f"you cannot revoke your own role {role}: another admin must", role=str(role))


class NoAdminAnyMore(DomainError):
    code = "NO_ADMIN_ANY_MORE"
    title = "You are no admin any more"
    kind = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("the role admin, or the account, was taken from you since you signed in: ask another admin")


class SignInRefused(DomainError):
    """The one answer to an unknown e-mail, a wrong password and a locked account: none can be told from another."""

    code = "SIGN_IN_REFUSED"
    title = "The e-mail address or the password is wrong"
    kind = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__(
            "the e-mail address or the password is wrong; after repeated failures an account is closed for a while"
        )


class AccountNotActive(DomainError):
    """Told only to somebody who knows the password or holds a refresh token."""

    code = "ACCOUNT_NOT_ACTIVE"
    title = "This account is not active"
    kind = Kind.FORBIDDEN

    def __init__(self, status: str) -> None:
        super().__init__(f"this account is {status.lower()}: only an active one can be signed in to", status=status)


class SessionOver(DomainError):
    code = "SESSION_OVER"
    title = "The session is over"
    kind = Kind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("this refresh token is not good (any more): sign in again")


class WrongPassword(DomainError):
    code = "WRONG_PASSWORD"
    title = "The old password is wrong"
    kind = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("the old password is wrong; after repeated failures passwords are refused for a while")


class ResetTokenNotGood(DomainError):
    code = "RESET_TOKEN_NOT_GOOD"
    title = "The link to reset the password is not good any more"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("this link was used, replaced by a newer one, or is too old: ask for another")


class ActivationTokenNotGood(DomainError):
    code = "ACTIVATION_TOKEN_NOT_GOOD"
    title = "The link to activate the account is not good"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("this is not the link that was mailed to the account: use the whole link from the mail")


class UnknownAddress(DomainError):
    code = "UNKNOWN_ADDRESS"
    title = "There is no such address in the address book"
    kind = Kind.NOT_FOUND

    def __init__(self, address_id: UUID) -> None:
        super().__init__(f"there is no address {address_id} in the address book", id=str(address_id))
