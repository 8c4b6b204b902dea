INSERT INTO retail.country (id, name) VALUES (:tenant, :name) ON CONFLICT DO NOTHING
