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
    INSERT INTO freehold.audit (owner, actor, transaction_id, kind, object, action, key, before)
    SELECT {{owner}}, who, which, 'data', {{title}}, 'DELETE', {{key}},
        pg_catalog.to_jsonb(o) || (SELECT COALESCE(pg_catalog.jsonb_object_agg(h.name, 'hidden'), '{}')
            FROM pg_catalog.unnest({{hidden}}) AS h(name))
    FROM gone AS o;
    RETURN NULL;
END
$freehold$
