-- One context's log. {schema} is the context; every context has these same tables in a schema of its own.
-- The first five columns of stored_events, and all of snapshots, are those of the eventsourcing library.

CREATE TABLE {schema}.stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,                    -- the event type
    state bytea NOT NULL,
    notification_id bigint NOT NULL,        -- the position: 1, 2, 3 ... without gaps
    event_id uuid NOT NULL DEFAULT uuidv7(),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    correlation_id text,
    causation_id uuid,
    actor text,
    traceparent text,
    PRIMARY KEY (originator_id, originator_version)
);

CREATE UNIQUE INDEX stored_events_notification_id_idx ON {schema}.stored_events (notification_id);

-- A tree: in a hash index each event of a client that always sends the same id would cost more than the one before.
CREATE INDEX stored_events_correlation ON {schema}.stored_events (correlation_id);

CREATE TABLE {schema}.snapshots (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);

-- The first reply to a key, for ever or until keep_until. `first` is the position of its first event.
CREATE TABLE {schema}.replies (
    key uuid PRIMARY KEY,
    digest bytea NOT NULL,
    body bytea NOT NULL,
    first bigint,
    keep_until timestamptz,                 -- null: until its saga has ended
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX replies_keep_until ON {schema}.replies (keep_until) WHERE keep_until IS NOT NULL;

-- The last row says which life of this log it is. A restore, an import or a fail-over to an older copy adds one.
CREATE TABLE {schema}.incarnation (
    number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT uuidv7(),
    head bigint NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO {schema}.incarnation (head, reason) VALUES (0, 'created');

-- The slice of an aggregate, 0 to 63: domain.ids.slice_of says the same.
CREATE FUNCTION {schema}.chobo_slice(id uuid) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (crc32(uuid_send(id)) % 64)::int;

-- One row of what `append` answers. kind: 0 summary, 1 stale component, 2 stored reply, 3 newer event, 4 reload.
CREATE TYPE {schema}.append_row AS (
    kind int,
    component int,
    id uuid,            -- aggregate, or key of a reply
    version bigint,     -- version of an event; in the summary 1 if another process waits for its turn
    topic text,
    state bytea,        -- of an event, or body of a reply
    digest bytea,
    position bigint     -- of an event; first of a reply; in the summary the head before this call
);
