-- What each order and each payment adds; read by nobody but the consumer, which adds it up.
CREATE TABLE order_sales (
    id           uuid        PRIMARY KEY,
    version      bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    currency     text        NOT NULL,
    units        bigint      NOT NULL,
    amount       bigint      NOT NULL,
    placed_on    date,
    confirmed_on date,
    rejected_on  date,
    cancelled_on date,
    returns      json        NOT NULL
);

-- In `state` is the payment as the aggregate has it, with when it was charged back.
CREATE TABLE payment_sales (
    id         uuid        PRIMARY KEY,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    currency   text        NOT NULL,
    state      json        NOT NULL,
    days       json        NOT NULL
);

-- Amounts are numeric: a thousand of the greatest orders would not fit into a bigint.
CREATE TABLE sales_by_day (
    day              date    NOT NULL,
    currency         text    NOT NULL,
    placed           bigint  NOT NULL DEFAULT 0,
    placed_units     bigint  NOT NULL DEFAULT 0,
    placed_amount    numeric NOT NULL DEFAULT 0,
    confirmed        bigint  NOT NULL DEFAULT 0,
    confirmed_units  bigint  NOT NULL DEFAULT 0,
    confirmed_amount numeric NOT NULL DEFAULT 0,
    rejected         bigint  NOT NULL DEFAULT 0,
    rejected_units   bigint  NOT NULL DEFAULT 0,
    rejected_amount  numeric NOT NULL DEFAULT 0,
    cancelled        bigint  NOT NULL DEFAULT 0,
    cancelled_units  bigint  NOT NULL DEFAULT 0,
    cancelled_amount numeric NOT NULL DEFAULT 0,
    returned         bigint  NOT NULL DEFAULT 0,
    returned_units   bigint  NOT NULL DEFAULT 0,
    returned_amount  numeric NOT NULL DEFAULT 0,
    captured         numeric NOT NULL DEFAULT 0,
    refunded         numeric NOT NULL DEFAULT 0,
    charged_back     numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (day, currency)
) WITH (fillfactor = 50);  -- few rows, updated with every batch
