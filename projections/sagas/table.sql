CREATE TABLE sagas (
    id         uuid        PRIMARY KEY,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    process    text        NOT NULL,
    definition int         NOT NULL,
    key        uuid        NOT NULL,   -- of an order its payment's id, of a return its refund's
    order_id   uuid,
    status     text        NOT NULL,
    paused     boolean     NOT NULL,
    course     text        NOT NULL,
    step       text,
    number     int         NOT NULL,   -- the step is number so many ...
    of         int         NOT NULL,   -- ... of so many
    attempt    int         NOT NULL,
    waits_for  text        NOT NULL,   -- NOTHING, REPLY, FACT, RETRY, OPERATOR, START
    since      timestamptz NOT NULL,   -- it has been at this step, or ended
    next_at    timestamptz,            -- when it tries again by itself
    code       text,                   -- of what is wrong, or of why it went back
    detail     text,
    outcome    text,
    inbox      int         NOT NULL,
    asked      int         NOT NULL,   -- commands without a reply
    held       bigint      NOT NULL,   -- the balance: money in minor units of `currency`, goods in units
    captured   bigint      NOT NULL,
    refunded   bigint      NOT NULL,
    currency   text,
    reserved   bigint      NOT NULL,
    committed  bigint      NOT NULL,
    released   bigint      NOT NULL,
    state      json        NOT NULL,   -- what the fold needs to know beside
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    took       double precision        -- seconds from start to end
);

-- The ordering, on its own and within what one asks for; what is of an order; and how long a process takes.
CREATE INDEX sagas_by_started ON sagas (started_at, id);
CREATE INDEX sagas_by_status_started ON sagas (status, started_at, id);
CREATE INDEX sagas_by_process_started ON sagas (process, started_at, id);
CREATE INDEX sagas_by_waits_started ON sagas (waits_for, started_at, id);
CREATE INDEX sagas_by_key ON sagas (key);
CREATE INDEX sagas_by_order ON sagas (order_id);
CREATE INDEX sagas_by_id_end ON sagas (right(id::text, 8));         -- what people read out to each other
CREATE INDEX sagas_by_key_end ON sagas (right(key::text, 8));
CREATE INDEX sagas_by_order_end ON sagas (right(order_id::text, 8));
CREATE INDEX sagas_by_process_took ON sagas (process, took) WHERE took IS NOT NULL;

-- What operators had sagas do: lines of the audit log, as those of the table `operations`.
CREATE TABLE saga_actions (
    id             uuid        PRIMARY KEY,
    version        bigint      NOT NULL,
    updated_at     timestamptz NOT NULL,
    status         text        NOT NULL,
    kind           text        NOT NULL,
    target         text        NOT NULL,
    parameters     json        NOT NULL,
    by             uuid,
    actor          text        NOT NULL,
    reason         text,
    sealed_for     uuid,
    correlation_id text        NOT NULL,
    result         json,
    explanation    text,
    requested_at   timestamptz NOT NULL,
    ended_at       timestamptz
);

CREATE INDEX saga_actions_by_requested ON saga_actions (requested_at, id);
CREATE INDEX saga_actions_by_actor_requested ON saga_actions (actor, requested_at, id);
CREATE INDEX saga_actions_by_kind_requested ON saga_actions (kind, requested_at, id);
CREATE INDEX saga_actions_by_status_requested ON saga_actions (status, requested_at, id);
CREATE INDEX saga_actions_by_target_requested ON saga_actions (target, requested_at, id);

-- What a user's erasure clears.
CREATE INDEX saga_actions_by_person ON saga_actions (sealed_for) WHERE sealed_for IS NOT NULL;
