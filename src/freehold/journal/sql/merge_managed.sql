INSERT INTO freehold.managed_object (kind, name)
SELECT item ->> 'kind', ARRAY(SELECT jsonb_array_elements_text(item -> 'name'))
FROM jsonb_array_elements(%(objects)s::jsonb) AS item
ON CONFLICT DO NOTHING
