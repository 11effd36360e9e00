"""Everything that can be asked for about users, and by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from commands.operations.messages import DenyAction
from commands.route import ACCEPTED, CREATED, IGNORED, Resource, Route
from commands.users.accounts import forgotten, new_account
from commands.users.links import answered_in_step, asked_reset, check_activation, check_reset
from commands.users.messages import (
    ActivateUser,
    AddAddress,
    AskReset,
    ChangeAddress,
    ChangePassword,
    ChangeProfile,
    ChangeSettings,
    ChooseDefaultAddress,
    EraseUser,
    GrantRole,
    Refresh,
    RegisterUser,
    ReinstateUser,
    RemoveAddress,
    ResetPassword,
    RevokeRole,
    SignIn,
    SignOut,
    SuspendUser,
)
from commands.users.sessions import (
    SessionFields,
    check_old_password,
    check_password,
    next_token,
    password_changed,
    refreshed,
    session_to_end,
    signed_in,
)
from domain.actor import Actor
from domain.ids import OperationId, derive
from domain.users.user import User


def denied(route: Route, actor: Actor, id: UUID | None, at: datetime) -> DenyAction:
    action, subject = f"user.{route.verb}", str(id)
    recorded_as = OperationId(derive("denial", f"{actor}/{action}/{subject}/{at:%Y-%m-%dT%H}"))
    return DenyAction(id=recorded_as, action=action, subject=subject, why=f"needs the scope {route.scope}")


ROUTES: Final = [
    Route("/v1/users", RegisterUser, scope="users:register", answer=CREATED, prepare=new_account),
    Route("/v1/users/{id}/activate", ActivateUser, scope="users:activate", key=IGNORED, prepare=check_activation),
    Route("/v1/users/{id}/change-profile", ChangeProfile, scope="users:edit", edits=True),
    Route("/v1/users/{id}/change-settings", ChangeSettings, scope="users:edit", edits=True),
    Route("/v1/users/{id}/add-address", AddAddress, scope="users:edit"),
    Route("/v1/users/{id}/change-address", ChangeAddress, scope="users:edit", edits=True),
    Route("/v1/users/{id}/remove-address", RemoveAddress, scope="users:edit"),
    Route("/v1/users/{id}/choose-default-address", ChooseDefaultAddress, scope="users:edit"),
    Route("/v1/users/{id}/grant-role", GrantRole, scope="users:roles", denied=denied),
    Route("/v1/users/{id}/revoke-role", RevokeRole, scope="users:roles", denied=denied),
    Route("/v1/users/{id}/suspend", SuspendUser, scope="users:suspend"),
    Route("/v1/users/{id}/reinstate", ReinstateUser, scope="users:suspend"),
    Route("/v1/users/{id}/erase", EraseUser, scope="users:erase", respond=forgotten),
    Route(
        "/v1/users/{id}/change-password",
        ChangePassword,
        scope="credentials:change",
        key=IGNORED,
        prepare=check_old_password,
        respond=password_changed,
    ),
    Route(
        "/v1/credentials/ask-reset",
        AskReset,
        scope="credentials:reset",
        key=IGNORED,
        answer=ACCEPTED,
        prepare=asked_reset,
        respond=answered_in_step,
        discreet=True,
    ),
    Route(
        "/v1/credentials/reset",
        ResetPassword,
        scope="credentials:reset",
        key=IGNORED,
        prepare=check_reset,
        makes="users",
    ),
    Route(
        "/v1/sessions",
        SignIn,
        scope="sessions:open",
        key=IGNORED,
        prepare=check_password,
        respond=signed_in,
        extra=SessionFields,
    ),
    Route(
        "/v1/sessions/refresh",
        Refresh,
        scope="sessions:refresh",
        key=IGNORED,
        prepare=next_token,
        respond=refreshed,
        extra=SessionFields,
    ),
    Route("/v1/sessions/sign-out", SignOut, scope="sessions:close", key=IGNORED, prepare=session_to_end),
]

RESOURCES: Final = [
    Resource("users", User, "users", scope="users:look", owner=lambda user: user.id),
]
