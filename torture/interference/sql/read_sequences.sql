SELECT schemaname, sequencename FROM pg_sequences ORDER BY schemaname, sequencename
