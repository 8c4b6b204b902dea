-- Dropped at commit, so that no pooled connection carries one tenant's lines into another tenant's transaction.
CREATE TEMPORARY TABLE retail_stage (
    line_no bigint NOT NULL,
    kind text NOT NULL,
    document bigint NOT NULL,
    product_id bigint NOT NULL,
    stocked boolean NOT NULL,
    account_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric(12, 2) NOT NULL,
    at timestamp NOT NULL,
    customer_id bigint,
    description text
) ON COMMIT DROP
