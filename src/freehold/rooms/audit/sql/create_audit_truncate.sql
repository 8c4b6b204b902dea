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
    INSERT INTO freehold.audit (owner, actor, transaction_id, kind, object, action, before)
    SELECT whose, who, which, 'data', {{title}}, 'TRUNCATE', pg_catalog.jsonb_build_object('bytes',
        pg_catalog.pg_table_size(TG_RELID));
    RETURN NULL;
END
$freehold$
