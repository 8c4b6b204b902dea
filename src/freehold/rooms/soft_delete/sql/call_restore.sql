SELECT {{function}}(current_setting('freehold.probe_deletion')::bigint)
