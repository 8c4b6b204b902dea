ALTER TABLE freehold.applied_plan
    ADD COLUMN because text NOT NULL DEFAULT '',
    ADD COLUMN approved_by text NOT NULL DEFAULT '',
    ADD COLUMN managed_before jsonb,
    ADD COLUMN undone_at timestamptz;

ALTER TABLE freehold.applied_step
    ADD COLUMN stage text NOT NULL DEFAULT 'expand',
    ADD COLUMN final boolean NOT NULL DEFAULT true,
    ADD COLUMN undo jsonb NOT NULL DEFAULT '[]';

CREATE TABLE freehold.backfill (
    name text NOT NULL CONSTRAINT backfill_pkey PRIMARY KEY,
    place text[],
    rows bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

INSERT INTO freehold.journal_version (version) VALUES (2);
