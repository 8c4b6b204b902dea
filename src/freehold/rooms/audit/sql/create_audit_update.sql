CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    who text;
    which uuid;
    whose text;
BEGIN
{{author}}
    -- A row whose key has changed has no counterpart: what was and what is are two entries.
    INSERT INTO freehold.audit (owner, actor, transaction_id, kind, object, action, key, before, after)
    SELECT
        CASE WHEN {{found}} IS NULL THEN {{old_owner}} ELSE {{new_owner}} END, who, which, 'data', {{title}}, 'UPDATE',
        CASE WHEN {{found}} IS NULL THEN {{old_key}} ELSE {{new_key}} END, c.before, c.after
    FROM gone AS o
    FULL JOIN fresh AS n ON {{same_key}}
    CROSS JOIN LATERAL (
        SELECT
            pg_catalog.jsonb_object_agg(e.key, CASE WHEN e.key = ANY ({{hidden}}) THEN '"hidden"' ELSE e.was END)
                FILTER (WHERE {{matched}} IS NOT NULL) AS before,
            pg_catalog.jsonb_object_agg(e.key, CASE WHEN e.key = ANY ({{hidden}}) THEN '"hidden"' ELSE e.becomes END)
                FILTER (WHERE {{found}} IS NOT NULL) AS after
        FROM (
            SELECT k.key, pg_catalog.to_jsonb(o) -> k.key AS was, pg_catalog.to_jsonb(n) -> k.key AS becomes
            FROM pg_catalog.jsonb_object_keys(
                CASE WHEN {{found}} IS NULL THEN pg_catalog.to_jsonb(o) ELSE pg_catalog.to_jsonb(n) END
            ) AS k(key)
        ) AS e
        WHERE e.was IS DISTINCT FROM e.becomes
    ) AS c;
    RETURN NULL;
END
$freehold$
