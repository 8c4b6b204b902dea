ALTER TABLE freehold.applied_plan
    ADD COLUMN because text NOT NULL DEFAULT '',
    ADD COLUMN approved_by text NOT NULL DEFAULT '',
    ADD COLUMN undone_at timestamptz;

ALTER TABLE freehold.applied_step
    ADD COLUMN phase text NOT NULL DEFAULT 'expand',
    ADD COLUMN undo text[] NOT NULL DEFAULT '{}',
    ADD COLUMN undo_loses text NOT NULL DEFAULT '',
    ADD COLUMN final text NOT NULL DEFAULT '';

CREATE TABLE freehold.backfill (
    name text NOT NULL CONSTRAINT backfill_pkey PRIMARY KEY,
    place text[],
    rows bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

INSERT INTO freehold.journal_version (version) VALUES (2);
