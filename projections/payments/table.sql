-- Nested values are json rather than jsonb: they are written and read as the text they are, and never searched.
CREATE TABLE payments (
    id                uuid        PRIMARY KEY,
    version           bigint      NOT NULL,
    updated_at        timestamptz NOT NULL,
    order_id          uuid        NOT NULL,
    customer_id       uuid        NOT NULL,
    currency          text        NOT NULL,
    status            text        NOT NULL,
    due               bigint      NOT NULL,
    authorised        bigint      NOT NULL,
    captured          bigint      NOT NULL,
    refunded          bigint      NOT NULL,
    charged_back      bigint      NOT NULL,
    paid              bigint      NOT NULL,
    method            text,
    active_attempt_id uuid,
    next_action       json,
    attempts          json        NOT NULL,
    ledger            json        NOT NULL,
    timeline          json        NOT NULL,
    provider_ids      text[]      NOT NULL,
    unmatched         bigint      NOT NULL,
    state             json        NOT NULL,
    created_at        timestamptz NOT NULL
);

-- The ordering, on its own, within a customer, and within a status; and what other books name a payment by.
CREATE INDEX payments_by_created ON payments (created_at, id);
CREATE INDEX payments_by_customer_created ON payments (customer_id, created_at, id);
CREATE INDEX payments_by_status_created ON payments (status, created_at, id);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX payments_by_provider_id ON payments USING gin (provider_ids) WITH (fastupdate = off);

CREATE TABLE unmatched_outcomes (
    id          uuid        PRIMARY KEY,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    payment_id  uuid        NOT NULL,
    attempt_id  uuid        NOT NULL,
    said        text        NOT NULL,
    reference   text        NOT NULL,
    amount      bigint,
    currency    text,
    happened_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL
);

-- Webhooks that are about no payment of ours. There are few: whoever looks reads them by time.
CREATE TABLE unmatched_webhooks (
    id          uuid        PRIMARY KEY,
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    gateway     text        NOT NULL,
    hook_id     text        NOT NULL,
    type        text        NOT NULL,
    reference   text,
    happened_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE INDEX unmatched_webhooks_by_created ON unmatched_webhooks (created_at, id);
CREATE INDEX unmatched_outcomes_by_created ON unmatched_outcomes (created_at, id);
CREATE INDEX unmatched_outcomes_by_payment ON unmatched_outcomes (payment_id, created_at, id);
