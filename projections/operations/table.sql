CREATE TABLE operations (
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

-- The ordering, on its own and within each thing that one asks for.
CREATE INDEX operations_by_requested ON operations (requested_at, id);
CREATE INDEX operations_by_actor_requested ON operations (actor, requested_at, id);
CREATE INDEX operations_by_kind_requested ON operations (kind, requested_at, id);
CREATE INDEX operations_by_status_requested ON operations (status, requested_at, id);
CREATE INDEX operations_by_target_requested ON operations (target, requested_at, id);

-- What a user's erasure clears.
CREATE INDEX operations_by_person ON operations (sealed_for) WHERE sealed_for IS NOT NULL;
