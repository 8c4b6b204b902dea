CREATE TRIGGER freehold_tenant_immutable
BEFORE UPDATE OF {{column}} ON {{table}}
FOR EACH ROW WHEN (OLD.{{column}} IS DISTINCT FROM NEW.{{column}})
EXECUTE FUNCTION freehold.log_only_move_v1({{relation}})
