"""Products in SQL. Each field answers as its namesake in `read_api/products`."""

from __future__ import annotations

from typing import Final

from read_api.compiled.shapes import (
    Fields,
    Leaf,
    Related,
    for_staff,
    moment,
    money,
    nullable,
    number,
    text,
    word,
)

ATTRIBUTE: Final[Fields] = {"name": text("{t}.key"), "value": text("{t}.value")}
IMAGE: Final[Fields] = {"url": text("{t}.url"), "alt": nullable(text("{t}.alt"))}


STOCK: Final[Fields] = {
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "status": word("{t}.status"),
    "available": number("{t}.available"),
    "onHand": for_staff(number("{t}.on_hand")),
    "reserved": for_staff(number("{t}.reserved")),
    "threshold": for_staff(number("{t}.threshold")),
}

VARIANT: Final[Fields] = {
    "id": word("{t}.id"),
    "sku": text("{t}.sku"),
    "values": Related("Attribute", ATTRIBUTE, "jsonb_each_text({t}.values) AS {n}", many=True),
    "price": money("({t}.prices->-1->>'amount')", "{p}.currency"),
    "stock": Related("Stock", STOCK, "reads.stock {n} WHERE {n}.id = {t}.id::uuid"),
}
VARIANTS: Final = (
    "jsonb_to_recordset({t}.variants) AS {n}(id text, sku text, values jsonb, prices jsonb, removed_at text)"
    " WHERE {n}.removed_at IS NULL AND {t}.currency IS NOT NULL"
)

CATEGORY: Final[Fields] = {
    "id": word("{t}.id"),
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "name": text("{t}.name"),
    "parentId": nullable(word("{t}.parent_id")),
}

PRODUCT: Final[Fields] = {
    "id": word("{t}.id"),
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "status": word("{t}.status"),
    "name": text("{t}.name"),
    "description": text("{t}.description"),
    "attributes": Related("Attribute", ATTRIBUTE, "jsonb_each_text({t}.attributes) AS {n}", many=True),
    "images": Related("Image", IMAGE, "jsonb_to_recordset({t}.images) AS {n}(url text, alt text)", many=True),
    "options": Leaf("array_to_json(ARRAY(SELECT jsonb_array_elements_text({t}.options)))"),
    "variants": Related("Variant", VARIANT, VARIANTS, many=True),
    "minPrice": money("{t}.min_price", present="{t}.currency IS NOT NULL"),
    "maxPrice": money("{t}.max_price", present="{t}.currency IS NOT NULL"),
    "createdAt": moment("{t}.created_at"),
    "activatedAt": nullable(moment("{t}.activated_at")),
    "discontinuedAt": nullable(moment("{t}.discontinued_at")),
    "categoryId": nullable(word("{t}.category_id")),
    "category": Related(
        "Category", CATEGORY, "reads.categories {n} WHERE {n}.id = {t}.category_id AND NOT {n}.removed"
    ),
}
