UPDATE {{table}} SET {{column}} = {{document}} WHERE {{witness}}::text = %(tenant)s
