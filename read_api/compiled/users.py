"""Users in SQL. Each field answers as its namesake in `read_api/users`."""

from __future__ import annotations

from typing import Final

from read_api.compiled.shapes import Fields, Leaf, Part, Related, for_staff, moment, nullable, number, text, word

SIGN_INS: Final[Fields] = {
    "count": number("{t}.sign_ins"),
    "lastAt": nullable(moment("{t}.last_sign_in")),
    "lockedUntil": nullable(moment("{t}.locked_until")),
}

ADDRESS: Final[Fields] = {
    "name": text("({t}.address->>'name')"),
    "line1": text("({t}.address->>'line1')"),
    "line2": nullable(text("({t}.address->>'line2')")),
    "postalCode": text("({t}.address->>'postal_code')"),
    "city": text("({t}.address->>'city')"),
    "region": nullable(text("({t}.address->>'region')")),
    "country": text("({t}.address->>'country')"),
}

ADDRESS_BOOK_ENTRY: Final[Fields] = {
    "id": word("{t}.id"),
    "address": Part("Address", ADDRESS),
    "isDefault": Leaf("CASE WHEN {t}.id::uuid = {p}.default_address_id THEN 'true' ELSE 'false' END"),
}
ADDRESS_BOOK: Final = "jsonb_to_recordset({t}.addresses) AS {n}(id text, address jsonb)"

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
    "addressBook": Related("AddressBookEntry", ADDRESS_BOOK_ENTRY, ADDRESS_BOOK, many=True),
    "locale": text("{t}.locale"),
    "notices": Leaf("upper(array_to_json({t}.notices)::text)"),
    "suspendedFor": for_staff(nullable(text("{t}.suspended_for"))),
    "createdAt": moment("{t}.created_at"),
    "signIns": Related("SignIns", SIGN_INS, "reads.sign_ins {n} WHERE {n}.user_id = {t}.id"),
}
