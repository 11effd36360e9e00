CREATE TABLE users (
    id                 uuid        PRIMARY KEY,
    version            bigint      NOT NULL,
    updated_at         timestamptz NOT NULL,
    status             text        NOT NULL,
    roles              text[]      NOT NULL,
    email              text,
    email_key          text,
    display_name       text,
    first_name         text,
    last_name          text,
    avatar_url         text,
    bio                text,
    words              tsvector    NOT NULL,
    addresses          jsonb       NOT NULL,
    default_address_id uuid,
    locale             text        NOT NULL,
    notices            text[]      NOT NULL,
    suspended_for      text,
    created_at         timestamptz NOT NULL,
    blocked_at         timestamptz,
    history            jsonb       NOT NULL
);

CREATE INDEX users_by_email ON users (email_key);
CREATE INDEX users_by_words ON users USING gin (words) WITH (fastupdate = off);
CREATE INDEX users_by_role ON users USING gin (roles);
CREATE INDEX users_blocked ON users (blocked_at) WHERE blocked_at IS NOT NULL;

-- One index for each ordering, on its own and within a status.
CREATE INDEX users_by_created ON users (created_at, id);
CREATE INDEX users_by_status_created ON users (status, created_at, id);
CREATE INDEX users_by_updated ON users (updated_at, id);
CREATE INDEX users_by_status_updated ON users (status, updated_at, id);

-- A row for each stream of credentials: signing in never touches the row of the user.
CREATE TABLE sign_ins (
    id             uuid        PRIMARY KEY,
    version        bigint      NOT NULL,
    updated_at     timestamptz NOT NULL,
    user_id        uuid        NOT NULL,
    sign_ins       bigint      NOT NULL,
    last_sign_in   timestamptz,
    locked_until   timestamptz,
    failures       bigint      NOT NULL,
    password_since timestamptz
);

CREATE INDEX sign_ins_by_user ON sign_ins (user_id);

-- Who was given which role or lost it: lines of the audit log, as those of the table `operations`.
CREATE TABLE role_changes (
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

CREATE INDEX role_changes_by_requested ON role_changes (requested_at, id);
CREATE INDEX role_changes_by_actor_requested ON role_changes (actor, requested_at, id);
CREATE INDEX role_changes_by_kind_requested ON role_changes (kind, requested_at, id);
CREATE INDEX role_changes_by_status_requested ON role_changes (status, requested_at, id);
CREATE INDEX role_changes_by_target_requested ON role_changes (target, requested_at, id);

-- What a user's erasure clears.
CREATE INDEX role_changes_by_person ON role_changes (sealed_for) WHERE sealed_for IS NOT NULL;
