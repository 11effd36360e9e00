CREATE TABLE notifications (
    id           uuid        PRIMARY KEY,
    version      bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    user_id      uuid,
    audience     text,
    channel      text        NOT NULL,
    trigger      text        NOT NULL,
    locale       text        NOT NULL,
    cause        uuid        NOT NULL,
    facts        json        NOT NULL,
    status       text        NOT NULL,
    unread       boolean     NOT NULL,
    reference    text,
    code         text,
    why          text,
    requested_at timestamptz NOT NULL,
    ended_at     timestamptz,
    read_at      timestamptz
);

-- The ordering, on its own and within each thing that one asks for.
CREATE INDEX notifications_by_requested ON notifications (requested_at, id);
CREATE INDEX notifications_by_user_requested ON notifications (user_id, requested_at, id);
CREATE INDEX notifications_by_audience_requested ON notifications (audience, requested_at, id);
CREATE INDEX notifications_by_status_requested ON notifications (status, requested_at, id);
CREATE INDEX notifications_by_trigger_requested ON notifications (trigger, requested_at, id);
CREATE INDEX notifications_by_channel_requested ON notifications (channel, requested_at, id);
CREATE INDEX notifications_by_cause ON notifications (cause);

-- What is about an order.
CREATE INDEX notifications_by_order ON notifications ((facts ->> 'order_id'), requested_at, id);

-- The inbox: what somebody has not read yet, however long it has been in use.
CREATE INDEX notifications_by_user_unread ON notifications (user_id, unread, requested_at, id);
CREATE INDEX notifications_by_unread ON notifications (unread, requested_at, id);
