SELECT key_id, purpose, state, provider, provider_key, wrapped
FROM {{keys}}
WHERE {{owner}}
ORDER BY created_at, key_id
