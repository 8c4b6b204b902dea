SELECT FROM {{table}} WHERE tenant_id::text <> %(tenant)s::text
