SELECT freehold.record_outcome_v1($1, $2::bytea, $3::jsonb, $4::integer)
