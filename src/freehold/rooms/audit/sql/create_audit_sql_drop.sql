CREATE OR REPLACE FUNCTION freehold.audit_sql_drop_v1() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    who text;
    which uuid;
    whose text;
BEGIN
{{author}}
    INSERT INTO freehold.audit (owner, actor, transaction_id, kind, object, action)
    SELECT whose, who, which, CASE WHEN d.object_type = 'policy' THEN 'policy' ELSE 'ddl' END,
        d.object_type || ' ' || d.object_identity, TG_TAG
    FROM pg_catalog.pg_event_trigger_dropped_objects() AS d
    WHERE (d.original OR d.normal) AND NOT d.is_temporary;
END
$freehold$
