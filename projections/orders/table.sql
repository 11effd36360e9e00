-- The saga is the one that works the order: from placing on its checkout, until that or the order ends.
-- Nested values are json rather than jsonb: they are written and read as the text they are, and never searched.
CREATE TABLE orders (
    id             uuid        PRIMARY KEY,
    version        bigint      NOT NULL,
    updated_at     timestamptz NOT NULL,
    status         text        NOT NULL,
    customer_id    uuid        NOT NULL,
    currency       text        NOT NULL,
    lines          json        NOT NULL,
    shipping       bigint      NOT NULL,
    tax            bigint      NOT NULL,
    total          bigint      NOT NULL,
    payment_method text,
    address        json,
    note           text,
    shipments      json        NOT NULL,
    returns        json        NOT NULL,
    timeline       json        NOT NULL,
    saga_id        uuid,
    saga_process   text,
    created_at     timestamptz NOT NULL,
    placed_at      timestamptz,
    closed_at      timestamptz
);

-- The ordering, on its own, within a customer, and within a status.
CREATE INDEX orders_by_created ON orders (created_at, id);
CREATE INDEX orders_by_customer_created ON orders (customer_id, created_at, id);
CREATE INDEX orders_by_status_created ON orders (status, created_at, id);
