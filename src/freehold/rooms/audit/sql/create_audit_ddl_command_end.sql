CREATE OR REPLACE FUNCTION freehold.audit_ddl_command_end_v1() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    who text;
    which uuid;
    whose text;
BEGIN
{{author}}
    -- The statement's text is left out: it may hold a secret. Of a GRANT the server tells the kind of object alone.
    INSERT INTO freehold.audit (owner, actor, transaction_id, kind, object, action)
    SELECT whose, who, which,
        CASE WHEN c.command_tag IN ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES') THEN 'grant'
            WHEN c.object_type = 'policy' OR c.command_tag = 'ALTER POLICY' THEN 'policy' ELSE 'ddl' END,
        pg_catalog.concat_ws(' ', c.object_type, c.object_identity), c.command_tag
    FROM pg_catalog.pg_event_trigger_ddl_commands() AS c
    WHERE COALESCE(c.schema_name, '') !~ '^pg_(temp|toast)';
END
$freehold$
