CREATE TABLE products (
    id              uuid        PRIMARY KEY,
    version         bigint      NOT NULL,
    updated_at      timestamptz NOT NULL,
    status          text        NOT NULL,
    name            text        NOT NULL,
    description     text        NOT NULL,
    category_id     uuid,
    attributes      jsonb       NOT NULL,
    images          jsonb       NOT NULL,
    options         jsonb       NOT NULL,
    variants        jsonb       NOT NULL,
    currency        text,
    min_price       bigint      NOT NULL,
    max_price       bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    activated_at    timestamptz,
    discontinued_at timestamptz
);

-- One index for each ordering on its own, within a status, and within a category of a status.
CREATE INDEX products_by_created ON products (created_at, id);
CREATE INDEX products_by_status_created ON products (status, created_at, id);
CREATE INDEX products_by_category_created ON products (category_id, status, created_at, id);
CREATE INDEX products_by_name ON products (name, id);
CREATE INDEX products_by_status_name ON products (status, name, id);
CREATE INDEX products_by_category_name ON products (category_id, status, name, id);
CREATE INDEX products_by_price ON products (min_price, id);
CREATE INDEX products_by_status_price ON products (status, min_price, id);
CREATE INDEX products_by_category_price ON products (category_id, status, min_price, id);

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

CREATE TABLE categories (
    id         uuid        PRIMARY KEY,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    name       text        NOT NULL,
    parent_id  uuid,
    removed    boolean     NOT NULL
);

CREATE INDEX categories_by_parent ON categories (parent_id);
