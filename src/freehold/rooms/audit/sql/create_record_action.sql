CREATE OR REPLACE FUNCTION freehold.record_action_v1(kind text, object text, action text, told jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    who text;
    which uuid;
    whose text;
BEGIN
{{author}}
    INSERT INTO freehold.audit AS a (owner, actor, transaction_id, kind, object, action, after)
    VALUES (whose, who, which, record_action_v1.kind, record_action_v1.object, record_action_v1.action, told);
    RETURN 1;
END
$freehold$
