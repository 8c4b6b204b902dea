-- Freehold's own tables: what was applied, what is managed, and what was proved. The migrations beside this file lead to
-- exactly this state, which a test proves.

CREATE SCHEMA IF NOT EXISTS freehold;

CREATE TABLE freehold.journal_version (
    version integer NOT NULL CONSTRAINT journal_version_pkey PRIMARY KEY,
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE freehold.applied_plan (
    plan_id uuid NOT NULL CONSTRAINT applied_plan_pkey PRIMARY KEY,
    layer text NOT NULL,
    steps integer NOT NULL,
    login text NOT NULL DEFAULT session_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    because text NOT NULL DEFAULT '',
    approved_by text NOT NULL DEFAULT '',
    managed_before jsonb,
    undone_at timestamptz
);

CREATE TABLE freehold.applied_step (
    plan_id uuid NOT NULL
        CONSTRAINT applied_step_plan_id_fkey REFERENCES freehold.applied_plan (plan_id),
    number integer NOT NULL,
    title text NOT NULL,
    statements text[] NOT NULL,
    room text NOT NULL,
    reason text NOT NULL,
    weakens text NOT NULL,
    loses text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stage text NOT NULL DEFAULT 'expand',
    final boolean NOT NULL DEFAULT true,
    undo jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT applied_step_pkey PRIMARY KEY (plan_id, number)
);

CREATE TABLE freehold.managed_object (
    kind text NOT NULL,
    name text[] NOT NULL,
    CONSTRAINT managed_object_pkey PRIMARY KEY (kind, name)
);

CREATE TABLE freehold.evidence (
    run_id uuid NOT NULL,
    number integer NOT NULL,
    proved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    server_version integer NOT NULL,
    system_identifier bigint NOT NULL,
    declaration text NOT NULL,
    room text NOT NULL,
    subject text NOT NULL,
    promise text NOT NULL,
    verdict text NOT NULL CONSTRAINT evidence_verdict_check CHECK (verdict IN ('held', 'broken', 'not run')),
    detail text NOT NULL,
    CONSTRAINT evidence_pkey PRIMARY KEY (run_id, number)
);

CREATE INDEX evidence_latest_idx ON freehold.evidence (room, subject, proved_at DESC);

CREATE TABLE freehold.backfill (
    name text NOT NULL CONSTRAINT backfill_pkey PRIMARY KEY,
    place text[],
    rows bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

INSERT INTO freehold.journal_version (version) VALUES (1), (2);
