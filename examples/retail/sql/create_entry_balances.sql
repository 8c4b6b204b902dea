-- Runs at commit, as the application, so that the tenant's policies hold in it too.
CREATE OR REPLACE FUNCTION retail.entry_balances_v1() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    rest numeric;
    subject record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        subject := OLD;
    ELSE
        subject := NEW;
    END IF;
    SELECT sum(posting.amount) INTO rest
    FROM retail.posting
    WHERE posting.tenant_id = subject.tenant_id AND posting.entry_id = subject.entry_id;
    IF rest <> 0 THEN
        RAISE EXCEPTION 'ledger entry % does not balance: its postings sum to %', subject.entry_id, rest
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entry_balances';
    END IF;
    RETURN NULL;
END
$function$
