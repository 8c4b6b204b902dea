-- What every account shares: plans, their features and the chart of accounts. Operators run it: freehold psql -f catalogue.sql
INSERT INTO subscriptions.plan (code, name, currency, monthly_price, seats, included_units, unit_price) VALUES
    ('free', 'Free', 'EUR', 0, 2, 1000, 0),
    ('team', 'Team', 'EUR', 49, 10, 100000, 0.0004),
    ('business', 'Business', 'EUR', 299, 100, 1000000, 0.00025)
ON CONFLICT (code) DO UPDATE SET (name, currency, monthly_price, seats, included_units, unit_price)
    = (EXCLUDED.name, EXCLUDED.currency, EXCLUDED.monthly_price, EXCLUDED.seats, EXCLUDED.included_units, EXCLUDED.unit_price);

INSERT INTO subscriptions.plan_feature (plan_code, feature, quantity) VALUES
    ('free', 'api', 1000),
    ('team', 'api', NULL), ('team', 'export', 100),
    ('business', 'api', NULL), ('business', 'export', NULL), ('business', 'audit', NULL)
ON CONFLICT (plan_code, feature) DO UPDATE SET quantity = EXCLUDED.quantity;

INSERT INTO subscriptions.ledger_account (code, name) VALUES
    ('1200', 'Receivables'), ('1800', 'Bank'), ('4400', 'Revenue')
ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name;
