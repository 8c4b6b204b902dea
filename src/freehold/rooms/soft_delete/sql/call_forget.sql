SELECT {{function}}(ARRAY[current_setting('freehold.probe_deletion')::bigint])
