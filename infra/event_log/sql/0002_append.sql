-- Appends the outcome of a run of commands: whole components, each all or nothing.
--
-- A component is written only if every aggregate it read is still at the version given (0: absent) and none of its
-- keys has a reply. Of the others nothing is written; their stored replies and the newer events of what they read come
-- back so that the caller can decide again ("reload" where there are too many).
--
-- The lock is taken in a statement of its own, so that what follows sees all that was committed before; it is held to
-- the end of the commit. Hence positions have no gaps, and once a reader has seen N, nothing below N appears.
-- Must stay VOLATILE and run in READ COMMITTED, autocommitted.
CREATE FUNCTION {schema}.append(
    read_component int[],
    read_id uuid[],
    read_version bigint[],
    event_component int[],
    event_originator uuid[],
    event_version bigint[],
    event_topic text[],
    event_state bytea[],
    event_ids uuid[],
    event_correlation text[],
    event_causation uuid[],
    event_actor text[],
    event_traceparent text[],
    reply_component int[],
    reply_key uuid[],
    reply_digest bytea[],
    reply_body bytea[],
    reply_first int[],              -- index of the unit's first event in this call, from 1; null if it has none
    reply_keep_until timestamptz[],
    still_waiting boolean           -- the caller has commands that came too late in an earlier call
) RETURNS SETOF {schema}.append_row
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET search_path = {schema}, pg_catalog
AS $$
DECLARE
    lock_space CONSTANT int := {lock_space};
    log_lock CONSTANT int := {lock};
    turn_lock CONSTANT int := log_lock + 1;
    newer_limit CONSTANT int := 200;                    -- newer events of one aggregate before "reload"
    head bigint;
    stale int[];
    contended bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(lock_space, log_lock);

    SELECT coalesce(max(notification_id), 0) INTO head FROM stored_events;

    SELECT array_agg(DISTINCT late.component) INTO stale FROM (
        SELECT r.component
        FROM unnest(read_component, read_id, read_version) AS r (component, id, version)
        CROSS JOIN LATERAL (
            SELECT coalesce((
                SELECT e.originator_version FROM stored_events e
                WHERE e.originator_id = r.id ORDER BY e.originator_version DESC LIMIT 1), 0) AS version
        ) AS now
        WHERE now.version <> r.version
        UNION ALL
        SELECT k.component
        FROM unnest(reply_component, reply_key) AS k (component, key)
        CROSS JOIN LATERAL (SELECT 1 FROM replies WHERE replies.key = k.key LIMIT 1) AS known
    ) AS late;

    IF stale IS NULL THEN
        INSERT INTO stored_events
        SELECT e.originator, e.version, e.topic, e.state, head + e.n, e.id, clock_timestamp(),
            e.correlation, e.causation, e.actor, e.traceparent
        FROM unnest(event_originator, event_version, event_topic, event_state, event_ids, event_correlation,
            event_causation, event_actor, event_traceparent) WITH ORDINALITY
            AS e (originator, version, topic, state, id, correlation, causation, actor, traceparent, n);

        IF cardinality(reply_key) > 0 THEN
            INSERT INTO replies (key, digest, body, first, keep_until)
            SELECT r.key, r.digest, r.body, head + r.first, r.keep_until
            FROM unnest(reply_key, reply_digest, reply_body, reply_first, reply_keep_until)
                AS r (key, digest, body, first, keep_until);
        END IF;
    ELSE
        INSERT INTO stored_events
        SELECT e.originator, e.version, e.topic, e.state, head + row_number() OVER (ORDER BY e.n), e.id,
            clock_timestamp(), e.correlation, e.causation, e.actor, e.traceparent
        FROM unnest(event_component, event_originator, event_version, event_topic, event_state, event_ids,
            event_correlation, event_causation, event_actor, event_traceparent) WITH ORDINALITY
            AS e (component, originator, version, topic, state, id, correlation, causation, actor, traceparent, n)
        WHERE e.component <> ALL (stale);

        INSERT INTO replies (key, digest, body, first, keep_until)
        SELECT r.key, r.digest, r.body,
            head + r.first - (SELECT count(*) FROM unnest(event_component) WITH ORDINALITY AS e (component, n)
                              WHERE e.n < r.first AND e.component = ANY (stale)),
            r.keep_until
        FROM unnest(reply_component, reply_key, reply_digest, reply_body, reply_first, reply_keep_until)
            AS r (component, key, digest, body, first, keep_until)
        WHERE r.component <> ALL (stale);
    END IF;

    -- Taking turns: who came too late shows it by a shared session lock, which it keeps until nothing of it waits any
    -- more; who was in time sees that lock by failing to get it alone, and then stands back for one call.
    PERFORM pg_advisory_unlock_all();
    IF stale IS NOT NULL OR still_waiting THEN
        PERFORM pg_advisory_lock_shared(lock_space, turn_lock);
    ELSIF pg_try_advisory_lock(lock_space, turn_lock) THEN
        PERFORM pg_advisory_unlock(lock_space, turn_lock);
    ELSE
        contended := 1;
    END IF;

    RETURN NEXT ROW(0, 0, NULL, contended, NULL, NULL, NULL, head)::append_row;
    IF stale IS NULL THEN
        RETURN;
    END IF;

    RETURN QUERY SELECT 1, c, NULL::uuid, NULL::bigint, NULL::text, NULL::bytea, NULL::bytea, NULL::bigint
    FROM unnest(stale) AS c;

    RETURN QUERY SELECT 2, k.component, r.key, NULL::bigint, NULL::text, r.body, r.digest, r.first
    FROM unnest(reply_component, reply_key) AS k (component, key)
    CROSS JOIN LATERAL (SELECT * FROM replies WHERE replies.key = k.key LIMIT 1) AS r
    WHERE k.component = ANY (stale);

    RETURN QUERY
    SELECT CASE WHEN late.version - late.read > newer_limit THEN 4 ELSE 3 END, 0, late.id, e.originator_version,
        e.topic, e.state, NULL::bytea, e.notification_id
    FROM (
        SELECT r.id, min(r.version) AS read, max(now.version) AS version
        FROM unnest(read_component, read_id, read_version) AS r (component, id, version)
        CROSS JOIN LATERAL (
            SELECT s.originator_version AS version FROM stored_events s
            WHERE s.originator_id = r.id ORDER BY s.originator_version DESC LIMIT 1
        ) AS now
        WHERE r.component = ANY (stale)
        GROUP BY r.id
    ) AS late
    CROSS JOIN LATERAL (
        SELECT * FROM stored_events s
        WHERE s.originator_id = late.id AND s.originator_version > late.read
        ORDER BY s.originator_version
        LIMIT CASE WHEN late.version - late.read > newer_limit THEN 1 ELSE newer_limit END
    ) AS e;
END
$$;
