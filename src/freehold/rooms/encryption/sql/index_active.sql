CREATE UNIQUE INDEX {{index}} ON freehold.{{table}} ({{columns}}) WHERE state = 'active'
