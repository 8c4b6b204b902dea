CREATE TEMPORARY TABLE retail_catalogue_stage (
    code text PRIMARY KEY,
    family text NOT NULL,
    description text,
    list_price numeric(12, 2)
) ON COMMIT DROP
