UPDATE {{table}} SET {{column}} = %s::jsonb, {{version_column}} = {{version}}
WHERE {{same_key}} AND {{version_column}} = %s AND {{column}} IS NOT DISTINCT FROM %s::jsonb
