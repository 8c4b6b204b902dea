UPDATE {{table}} AS t SET {{column}} = t.{{column}} WHERE (t.tableoid, t.ctid) = (SELECT r.tableoid, r.ctid FROM {{table}} AS r{{mine}} LIMIT 1)
