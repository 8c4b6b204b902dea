SELECT {{tenant}} AS tenant, key_id, purpose, state, provider, provider_key, wrapped
FROM {{keys}}
WHERE state <> 'destroyed'
ORDER BY created_at, key_id
