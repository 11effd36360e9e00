"""Users in SQL. Each field answers as its namesake in `read_api/users.py`."""

from __future__ import annotations

from typing import Final

from read_api.compiled.shapes import Fields, Leaf, Related, for_staff, moment, nullable, number, text, word

SIGN_INS: Final[Fields] = {
    "count": number("{t}.sign_ins"),
    "lastAt": nullable(moment("{t}.last_sign_in")),
    "lockedUntil": nullable(moment("{t}.locked_until")),
}

USER: Final[Fields] = {
    "id": word("{t}.id"),
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "status": word("upper({t}.status)"),
    "roles": Leaf("upper(array_to_json({t}.roles)::text)"),
    "email": nullable(text("{t}.email")),
    "displayName": nullable(text("{t}.display_name")),
    "firstName": nullable(text("{t}.first_name")),
    "lastName": nullable(text("{t}.last_name")),
    "avatarUrl": nullable(text("{t}.avatar_url")),
    "bio": nullable(text("{t}.bio")),
    "locale": text("{t}.locale"),
    "notices": Leaf("upper(array_to_json({t}.notices)::text)"),
    "suspendedFor": for_staff(nullable(text("{t}.suspended_for"))),
    "createdAt": moment("{t}.created_at"),
    "signIns": Related("SignIns", SIGN_INS, "reads.sign_ins {n} WHERE {n}.user_id = {t}.id"),
}
