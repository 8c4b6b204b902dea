CREATE TRIGGER {{trigger}} BEFORE UPDATE ON {{table}}
FOR EACH ROW WHEN (
    NEW.{{sealed}} IS NOT NULL AND NEW.{{sealed}} IS NOT DISTINCT FROM OLD.{{sealed}}
    AND (OLD.{{clear}}::text IS DISTINCT FROM NEW.{{clear}}::text OR {{moved}})
)
EXECUTE FUNCTION {{function}}()
