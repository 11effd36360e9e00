CREATE TABLE products (
    id                 uuid        PRIMARY KEY,
    version            bigint      NOT NULL,
    updated_at         timestamptz NOT NULL,
    status             text        NOT NULL,
    name               text        NOT NULL,
    description        text        NOT NULL,
    category_id        uuid,
    attributes         jsonb       NOT NULL,
    images             jsonb       NOT NULL,
    options            jsonb       NOT NULL,
    variants           jsonb       NOT NULL,
    currency           text,
    min_price          bigint      NOT NULL,
    max_price          bigint      NOT NULL,
    skus               text[]      NOT NULL,
    created_at         timestamptz NOT NULL,
    first_activated_at timestamptz,
    activated_at       timestamptz,
    discontinued_at    timestamptz
);

-- One index for each ordering on its own, within a status, and within a category of a status; prices are compared
-- within a currency.
CREATE INDEX products_by_created ON products (created_at, id);
CREATE INDEX products_by_status_created ON products (status, created_at, id);
CREATE INDEX products_by_category_created ON products (category_id, status, created_at, id);
CREATE INDEX products_by_name ON products (name, id);
CREATE INDEX products_by_status_name ON products (status, name, id);
CREATE INDEX products_by_category_name ON products (category_id, status, name, id);
CREATE INDEX products_by_price ON products (min_price, id);
CREATE INDEX products_by_status_price ON products (status, min_price, id);
CREATE INDEX products_by_category_price ON products (category_id, status, min_price, id);
CREATE INDEX products_by_currency_price ON products (currency, min_price, id);
CREATE INDEX products_by_status_currency_price ON products (status, currency, min_price, id);

CREATE INDEX products_by_sku ON products USING gin (skus) WITH (fastupdate = off);

-- Readers search here and take the products they found from above. A search of `words` is one of (said || sold).
CREATE TABLE product_search (
    id          uuid        PRIMARY KEY,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    status      text        NOT NULL,
    name_key    text        NOT NULL COLLATE "C",
    category_id uuid,
    attributes  jsonb       NOT NULL,
    variants    json        NOT NULL,
    said        tsvector    NOT NULL,
    sold        tsvector    NOT NULL,
    currency    text,
    min_price   bigint      NOT NULL,
    created_at  timestamptz NOT NULL
);

-- What is found by words is found at once, not when a queue of new entries has been worked off: fastupdate.
CREATE INDEX product_search_by_words ON product_search USING gin ((said || sold)) WITH (fastupdate = off);
CREATE INDEX product_search_by_attributes ON product_search USING gin (attributes jsonb_path_ops)
    WITH (fastupdate = off);
CREATE INDEX product_search_by_category ON product_search (category_id, status);

-- Each ordering, on its own and within a status.
CREATE INDEX product_search_by_created ON product_search (created_at, id);
CREATE INDEX product_search_by_status_created ON product_search (status, created_at, id);
CREATE INDEX product_search_by_price ON product_search (min_price, id);
CREATE INDEX product_search_by_status_price ON product_search (status, min_price, id);
CREATE INDEX product_search_by_status_currency_price ON product_search (status, currency, min_price, id);
CREATE INDEX product_search_by_name ON product_search (name_key, id);
CREATE INDEX product_search_by_status_name ON product_search (status, name_key, id);

CREATE TABLE stock (
    id         uuid        PRIMARY KEY,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    product_id uuid        NOT NULL,
    status     text        NOT NULL,
    on_hand    bigint      NOT NULL,
    reserved   bigint      NOT NULL,
    available  bigint      NOT NULL,
    threshold  bigint      NOT NULL
) WITH (fillfactor = 70);  -- updated far more often than anything else here

-- None of a column that changes with every sale, so that such an update touches no index.
CREATE INDEX stock_by_product ON stock (product_id);
CREATE INDEX stock_by_status ON stock (status, product_id, id);

CREATE TABLE reservations (
    id          uuid        PRIMARY KEY,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    order_id    uuid        NOT NULL,
    status      text        NOT NULL,
    lines       json        NOT NULL,
    held_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    returned_at timestamptz
);

CREATE INDEX reservations_by_order ON reservations (order_id);
CREATE INDEX reservations_by_status_held ON reservations (status, held_at, id);

CREATE TABLE categories (
    id         uuid        PRIMARY KEY,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    name       text        NOT NULL,
    parent_id  uuid,
    removed    boolean     NOT NULL
);

CREATE INDEX categories_by_parent ON categories (parent_id);
