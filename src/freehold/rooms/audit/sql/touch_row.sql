UPDATE {{table}} AS t SET {{column}} = t.{{column}} WHERE t.ctid = (SELECT r.ctid FROM {{table}} AS r{{mine}} LIMIT 1)
