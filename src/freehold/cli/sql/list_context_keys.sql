SELECT key_id, created_at, retired_at
FROM freehold.context_key
ORDER BY created_at DESC, key_id
