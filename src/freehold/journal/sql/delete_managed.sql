DELETE FROM freehold.managed_object
WHERE (kind, name) NOT IN (
    SELECT item ->> 'kind', ARRAY(SELECT jsonb_array_elements_text(item -> 'name'))
    FROM jsonb_array_elements(%(objects)s::jsonb) AS item
)
