"""What can happen to a user, to a user's credentials, and to the claim on an e-mail address."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from pydantic import AwareDatetime

from domain import claim
from domain.actor import Role
from domain.event import JSON, Event, PersonalData
from domain.ids import ClaimId
from domain.users.values import Place, Profile, Settings
from domain.value import Address

# --- the user ---------------------------------------------------------------------------------------------------------


class UserEvent(Event):
    """The stream is the user's: its id is the user's id."""


class UserRegistered(UserEvent):
    TOPIC = "users.user-registered"
    OWNER = "originator_id"

    email: PersonalData[str]
    display_name: PersonalData[str]
    email_claim: ClaimId
    settings: Settings


class UserActivated(UserEvent):
    TOPIC = "users.user-activated"


class ProfileChanged(UserEvent):
    TOPIC = "users.profile-changed"
    OWNER = "originator_id"

    profile: PersonalData[Profile]


class AddressAdded(UserEvent):
    TOPIC = "users.address-added"
    OWNER = "originator_id"

    address_id: UUID
    address: PersonalData[Address]


class AddressChanged(UserEvent):
    TOPIC = "users.address-changed"
    OWNER = "originator_id"

    address_id: UUID
    address: PersonalData[Address]


class AddressRemoved(UserEvent):
    TOPIC = "users.address-removed"

    address_id: UUID


class DefaultAddressChosen(UserEvent):
    TOPIC = "users.default-address-chosen"

    address_id: UUID


class SettingsChanged(UserEvent):
    TOPIC = "users.settings-changed"

    settings: Settings


class RoleGranted(UserEvent):
    """`by` is who granted it, as `str(Actor)`; `reason` is None where a process of ours gave none."""

    TOPIC = "users.role-granted"
    OWNER = "originator_id"
    class_version = 2

    role: Role
    by: str
    reason: PersonalData[str | None] = None

    @staticmethod
    def upcast_v1_v2(state: JSON) -> None:
        """v1 had no reason."""
        state["reason"] = None


class RoleRevoked(UserEvent):
    TOPIC = "users.role-revoked"
    OWNER = "originator_id"
    class_version = 2

    role: Role
    by: str
    reason: PersonalData[str | None] = None

    @staticmethod
    def upcast_v1_v2(state: JSON) -> None:
        """v1 had no reason."""
        state["reason"] = None


class UserSuspended(UserEvent):
    TOPIC = "users.user-suspended"
    OWNER = "originator_id"

    reason: PersonalData[str]
    by: str


class UserReinstated(UserEvent):
    TOPIC = "users.user-reinstated"
    OWNER = "originator_id"

    reason: PersonalData[str]
    by: str


class UserErased(UserEvent):
    """The key to the user's personal fields is destroyed next; what happened stays, whom it happened to does not."""

    TOPIC = "users.user-erased"

    by: str


class ErasureCompleted(UserEvent):
    """The receipt: since then nothing personal of the user can be read in any of these places."""

    TOPIC = "users.erasure-completed"

    key_destroyed_at: AwareDatetime
    places: tuple[Place, ...]


# --- credentials ------------------------------------------------------------------------------------------------------


class SessionEnd(Enum):
    SIGNED_OUT = "signed_out"
    CROWDED_OUT = "crowded_out"  # too many sessions: the oldest went
    REUSED = "reused"  # a refresh token came a second time: somebody has a copy
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    SUSPENDED = "suspended"


class CredentialsEvent(Event):
    """The stream's id is derived from the user's."""


class PasswordSet(CredentialsEvent):
    """The first password. The hash is sealed: exports and topics show no hash to guess at."""

    TOPIC = "users.password-set"
    OWNER = "user_id"

    user_id: UUID
    password_hash: PersonalData[str]


class PasswordChanged(CredentialsEvent):
    TOPIC = "users.password-changed"
    OWNER = "user_id"

    user_id: UUID
    password_hash: PersonalData[str]


class PasswordResetAsked(CredentialsEvent):
    TOPIC = "users.password-reset-asked"

    token_hash: str
    expires_at: AwareDatetime


class PasswordReset(CredentialsEvent):
    """The token it was reset with can be used no more."""

    TOPIC = "users.password-reset"
    OWNER = "user_id"

    user_id: UUID
    password_hash: PersonalData[str]


class SignedIn(CredentialsEvent):
    """A session began: a family of refresh tokens, of which one at a time is good."""

    TOPIC = "users.signed-in"

    session_id: UUID
    token_hash: str
    expires_at: AwareDatetime


class SignInFailed(CredentialsEvent):
    TOPIC = "users.sign-in-failed"


class LockedOut(CredentialsEvent):
    TOPIC = "users.locked-out"

    until: AwareDatetime


class SessionRefreshed(CredentialsEvent):
    TOPIC = "users.session-refreshed"

    session_id: UUID
    token_hash: str
    expires_at: AwareDatetime


class SessionEnded(CredentialsEvent):
    TOPIC = "users.session-ended"

    session_id: UUID
    reason: SessionEnd


class AllSessionsEnded(CredentialsEvent):
    TOPIC = "users.all-sessions-ended"

    reason: SessionEnd


class CredentialsClosed(CredentialsEvent):
    """The user was erased: nothing opens this account again."""

    TOPIC = "users.credentials-closed"


# --- the claim on an e-mail address -----------------------------------------------------------------------------------


class EmailClaimed(claim.Taken):
    TOPIC = "users.email-claimed"


class EmailReleased(claim.Freed):
    TOPIC = "users.email-released"
