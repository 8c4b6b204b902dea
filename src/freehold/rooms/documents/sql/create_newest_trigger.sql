CREATE TRIGGER {{trigger}} BEFORE UPDATE OF {{column}} ON {{table}}
FOR EACH ROW WHEN (OLD.{{version_column}} = NEW.{{version_column}}
    AND NEW.{{version_column}} <> {{version}} AND OLD.{{column}} IS DISTINCT FROM NEW.{{column}})
EXECUTE FUNCTION {{function}}()
