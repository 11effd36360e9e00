-- What is to be done outside of this database: one row for each piece of work. Its id, the id of the event that asked
-- for it, is the idempotency key under which it is done. A row holds ids, never anything about a person.
CREATE TABLE projections.todo (
    id             uuid        PRIMARY KEY,
    kind           text        NOT NULL,
    context        text        NOT NULL,
    subject        uuid        NOT NULL,   -- the aggregate it is about
    data           jsonb       NOT NULL DEFAULT '{}',
    status         text        NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'PAUSED', 'DONE', 'FAILED')),
    due_at         timestamptz NOT NULL,
    attempt        int         NOT NULL DEFAULT 0,     -- how often it was begun
    first_tried_at timestamptz,
    last_error     text,
    lease          uuid,                   -- whoever knows it may close the row; a new one each time it is taken
    worker         text,                   -- who has it, for people to read
    leased_until   timestamptz,
    free_at        timestamptz NOT NULL GENERATED ALWAYS AS (greatest(due_at, leased_until)) STORED,
    outcome        jsonb,
    correlation_id text        NOT NULL,
    causation_id   uuid,
    traceparent    text,
    created_at     timestamptz NOT NULL DEFAULT statement_timestamp(),
    closed_at      timestamptz,
    CHECK ((closed_at IS NOT NULL) = (status IN ('DONE', 'FAILED')))
) WITH (fillfactor = 70);                  -- each row is updated a few times within a short life

CREATE INDEX todo_free ON projections.todo (free_at) WHERE status = 'OPEN';
CREATE INDEX todo_not_done ON projections.todo (kind, due_at, id) WHERE status <> 'DONE';
CREATE INDEX todo_by_subject ON projections.todo (subject);
CREATE INDEX todo_closed ON projections.todo (closed_at) WHERE closed_at IS NOT NULL;
