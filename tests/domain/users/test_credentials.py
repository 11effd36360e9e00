from __future__ import annotations

from datetime import timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given as whatever
from hypothesis import strategies as st

from domain.errors import AlreadyExists, DomainError, NotAllowedNow
from domain.event import ERASED
from domain.users import credentials as c
from domain.users import passwords, sessions
from domain.users.errors import ResetTokenNotGood, SessionOver, SignInRefused
from domain.users.events import (
    AllSessionsEnded,
    CredentialsClosed,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    PasswordResetAsked,
    PasswordSet,
    SessionEnd,
    SessionEnded,
    SessionRefreshed,
    SignedIn,
    SignInFailed,
)
from tests.domain.users.samples import HANA, of_credentials, password_set
from tests.specification import AT, a

given = of_credentials.given
LATER = AT + timedelta(days=30)
S1, S2 = UUID(int=1), UUID(int=2)
failed = a(SignInFailed)
signed_in = a(SignedIn, session_id=S1, token_hash="t1", expires_at=LATER)
locked = a(LockedOut, until=AT + timedelta(minutes=15))
closed = a(CredentialsClosed)
reset_asked = a(PasswordResetAsked, token_hash="r1", expires_at=AT + timedelta(hours=1))


def test_the_first_password_is_set_once():
    given().when(passwords.set_password, HANA, "hash of one").then(password_set)
    given(password_set).when(passwords.set_password, HANA, "hash of two").refused(AlreadyExists)


def test_signing_in_opens_a_session_and_is_counted():
    given(password_set).when(sessions.sign_in, S1, "t1").then(signed_in)
    state = given(password_set, failed, signed_in).state
    assert (state.sign_ins, state.last_sign_in, state.failures) == (1, AT, 0)


def test_the_fifth_failure_in_a_row_locks_the_account():
    given(password_set, failed, failed, failed).when(sessions.fail).then(failed)
    given(password_set, failed, failed, failed, failed).when(sessions.fail).then(failed, locked)
    given(password_set, failed, failed, failed, failed, signed_in).when(sessions.fail).then(failed)


def test_a_locked_account_refuses_the_right_password_and_records_nothing():
    shut = given(password_set, failed, locked)
    shut.when(sessions.sign_in, S1, "t1").refused(SignInRefused)
    shut.when(sessions.fail).then()


def test_a_lock_out_ends_by_itself():
    over = AT + timedelta(minutes=15)
    given(password_set, failed, locked).when(sessions.sign_in, S1, "t1", at=over).then(SignedIn)
    given(password_set, failed, locked).when(sessions.fail, at=over).then(failed)


def test_one_session_too_many_ends_the_oldest():
    policy = c.Policy(sessions=1)
    given(password_set, signed_in).when(sessions.sign_in, S2, "t2", policy=policy).then(
        a(SessionEnded, session_id=S1, reason=SessionEnd.CROWDED_OUT), SignedIn
    )


def test_sessions_that_ran_out_make_room():
    given(password_set, signed_in).when(sessions.sign_in, S2, "t2", policy=c.Policy(sessions=1), at=LATER).then(
        SignedIn
    )


def test_a_refresh_replaces_the_token():
    given(password_set, signed_in).when(sessions.refresh, S1, "t1", "t2").then(
        a(SessionRefreshed, session_id=S1, token_hash="t2", expires_at=LATER)
    )


def test_a_token_that_comes_again_ends_its_session():
    refreshed = a(SessionRefreshed, session_id=S1, token_hash="t2", expires_at=LATER)
    ended = a(SessionEnded, session_id=S1, reason=SessionEnd.REUSED)
    given(password_set, signed_in, refreshed).when(sessions.refresh, S1, "t1", "t3").then(ended)
    given(password_set, signed_in, refreshed, ended).when(sessions.refresh, S1, "t2", "t4").refused(SessionOver)


def test_a_session_that_ran_out_is_over():
    given(password_set, signed_in).when(sessions.refresh, S1, "t1", "t2", at=LATER).refused(SessionOver)
    given(password_set).when(sessions.refresh, S1, "t1", "t2").refused(SessionOver)


def test_signing_out_ends_this_session_and_is_harmless_again():
    given(password_set, signed_in).when(sessions.sign_out, S1, "t1").then(
        a(SessionEnded, session_id=S1, reason=SessionEnd.SIGNED_OUT)
    )
    given(password_set).when(sessions.sign_out, S1, "t1").then()


def test_signing_out_everywhere_ends_every_session():
    given(password_set, signed_in).when(sessions.end_all_sessions, SessionEnd.SIGNED_OUT).then(AllSessionsEnded)
    given(password_set).when(sessions.end_all_sessions, SessionEnd.SIGNED_OUT).then()


def test_a_new_password_ends_every_session():
    given(password_set, signed_in).when(passwords.change_password, "hash of two").then(
        a(PasswordChanged, user_id=HANA, password_hash="hash of two"),
        a(AllSessionsEnded, reason=SessionEnd.PASSWORD_CHANGED),
    )


def test_a_reset_link_works_once_and_ends_lock_out_and_sessions():
    given(password_set, signed_in, failed, locked, reset_asked).when(
        passwords.reset_password, "r1", "hash of two"
    ).then(PasswordReset, AllSessionsEnded)
    used = (password_set, locked, reset_asked, a(PasswordReset, user_id=HANA, password_hash="hash of two"))
    given(*used).when(passwords.reset_password, "r1", "hash of three").refused(ResetTokenNotGood)
    given(*used).when(sessions.sign_in, S1, "t1").then(SignedIn)


@pytest.mark.parametrize("token, at", [("r2", AT), ("r1", AT + timedelta(hours=1))])
def test_a_wrong_or_old_reset_link_is_refused(token, at):
    given(password_set, reset_asked).when(passwords.reset_password, token, "hash of two", at=at).refused(
        ResetTokenNotGood
    )


def test_changing_the_password_makes_a_reset_link_worthless():
    changed = a(PasswordChanged, user_id=HANA, password_hash="hash of two")
    given(password_set, reset_asked, changed).when(passwords.reset_password, "r1", "x").refused(ResetTokenNotGood)


CLOSED_REFUSES = {
    "sign in": (lambda s: sessions.sign_in(s, S2, "t2", at=AT), SignInRefused),
    "refresh": (lambda s: sessions.refresh(s, S1, "t1", "t2", at=AT), SessionOver),
    "change": (lambda s: passwords.change_password(s, "hash", at=AT), NotAllowedNow),
    "ask reset": (lambda s: passwords.ask_reset(s, "r1", at=AT), NotAllowedNow),
    "reset": (lambda s: passwords.reset_password(s, "r1", "hash", at=AT), NotAllowedNow),
}


@pytest.mark.parametrize("decision", CLOSED_REFUSES)
def test_nothing_opens_closed_credentials(decision):
    decide, refusal = CLOSED_REFUSES[decision]
    state = given(password_set, signed_in, reset_asked, closed).state
    with pytest.raises(refusal):
        decide(state)


def test_closing_twice_and_failing_after_it_change_nothing():
    given(password_set, closed).when(c.close).then()
    given(password_set, closed).when(sessions.fail).then()


def test_an_erased_password_is_no_password():
    assert given(a(PasswordSet, user_id=HANA, password_hash=ERASED)).state.password_hash is None


# --- any story of sign-ins, refreshes and stolen tokens ---------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sign in")),
        st.tuples(st.just("refresh"), st.integers(0, 30)),
        st.tuples(st.just("sign out"), st.integers(0, 30)),
        st.tuples(st.just("password")),
        st.tuples(st.just("wait"), st.integers(1, 20)),
    ),
    max_size=40,
)


@whatever(STEPS)
def test_at_most_one_token_of_a_session_is_ever_good(steps):
    """Tokens are numbered as they are handed out; any of them, however old, may come back at any time."""
    policy = c.Policy(sessions=3)
    state = given(password_set).state
    handed_out: list[tuple[UUID, str]] = []
    used: set[str] = set()
    at = AT
    for step in steps:
        if step[0] == "wait":
            at += timedelta(days=step[1])
            continue
        events, token = _take(step, state, handed_out, policy, at)
        if isinstance(events, SessionRefreshed):
            assert token is not None
            assert token[1] not in used, "a replaced token was good a second time"
            used.add(token[1])
            handed_out.append((token[0], events.token_hash))
        listed = events if isinstance(events, list) else [events] if events else []
        handed_out += [(e.session_id, e.token_hash) for e in listed if isinstance(e, SignedIn)]
        state = reduce(c.evolve, listed, state)
        assert len(state.sessions) <= policy.sessions
        assert len({s.id for s in state.sessions}) == len(state.sessions)
        assert not used & {s.token_hash for s in state.sessions}


def _take(step, state, handed_out, policy, at):
    number = len(handed_out)
    token = handed_out[step[1] % number] if len(step) > 1 and number else (UUID(int=0), "never")
    session_id, token_hash = token
    try:
        match step[0]:
            case "sign in":
                return sessions.sign_in(state, UUID(int=1000 + number), f"t{number}", policy=policy, at=at), None
            case "refresh":
                return sessions.refresh(state, session_id, token_hash, f"t{number}", policy=policy, at=at), token
            case "sign out":
                return sessions.sign_out(state, session_id, token_hash, at=at), token
            case _:
                return passwords.change_password(state, "another hash", at=at), None
    except DomainError:
        return [], token
