-- As `load` of 0003, but at most so many events of each stream: a long one is read in steps, so that neither the memory
-- for it grows with its length nor everybody else waits until all of it is decoded. Who gets `most` events asks again.
CREATE FUNCTION {schema}.load(ids uuid[], versions bigint[], snapshot_topics text[], most bigint)
RETURNS TABLE (kind int, originator_id uuid, originator_version bigint, topic text, state bytea)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET search_path = {schema}, pg_catalog
AS $$
BEGIN
    RETURN QUERY
    SELECT found.kind, wanted.id, found.originator_version, found.topic, found.state
    FROM unnest(ids, versions) AS wanted (id, version)
    LEFT JOIN LATERAL (
        SELECT s.originator_version, s.topic, s.state FROM snapshots s
        WHERE s.originator_id = wanted.id AND s.originator_version > wanted.version AND s.topic = ANY (snapshot_topics)
        ORDER BY s.originator_version DESC LIMIT 1
    ) AS snapshot ON true
    CROSS JOIN LATERAL (
        SELECT 0 AS kind, snapshot.originator_version, snapshot.topic, snapshot.state
        WHERE snapshot.originator_version IS NOT NULL
        UNION ALL
        SELECT * FROM (
            SELECT 1, e.originator_version, e.topic, e.state FROM stored_events e
            WHERE e.originator_id = wanted.id
                AND e.originator_version > coalesce(snapshot.originator_version, wanted.version)
            ORDER BY e.originator_version
            LIMIT most
        ) AS events
    ) AS found;
END
$$;
