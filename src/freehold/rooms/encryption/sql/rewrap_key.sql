UPDATE {{keys}}
SET provider = %(provider)s, provider_key = %(provider_key)s, wrapped = %(wrapped)s
WHERE key_id = %(key_id)s AND wrapped = %(old)s
