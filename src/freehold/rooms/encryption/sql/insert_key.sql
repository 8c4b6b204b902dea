INSERT INTO {{keys}} ({{columns}}) VALUES ({{values}})
