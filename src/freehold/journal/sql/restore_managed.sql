WITH before AS (
    SELECT item ->> 'kind' AS kind, ARRAY(SELECT jsonb_array_elements_text(item -> 'name')) AS name
    FROM freehold.applied_plan AS p, jsonb_array_elements(p.managed_before) AS item
    WHERE p.plan_id = %(plan_id)s
), gone AS (
    DELETE FROM freehold.managed_object AS m WHERE NOT EXISTS (SELECT FROM before AS b WHERE (b.kind, b.name) = (m.kind, m.name))
)
INSERT INTO freehold.managed_object (kind, name) SELECT kind, name FROM before ON CONFLICT DO NOTHING
