import GRDB

/// The database's tables. Times are milliseconds since 1970; states are raw values of `JobState` and `BatchState`.
///
/// `job` has one row per line and never holds a body: `id` is `JobID.rawValue`, so a batch's lines are one range that
/// only grows at its end. A *lane* is the lines of one batch that name one model. Claims look for the open lane with
/// the earliest deadline, then take lines from it in order, through indexes that hold only what is claimable: their
/// cost does not grow with the depth of the queue.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(sql: tables)
            try db.execute(sql: indexes)
        }
        migrator.registerMigration("2") { db in
            try db.execute(sql: secondVersion)
        }
        return migrator
    }

    private static let tables = """
        CREATE TABLE life (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO life VALUES ('epoch', 0), ('probe', 0);
        CREATE TABLE file (
            serial INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
            filename TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL, created INTEGER NOT NULL,
            expires INTEGER);
        CREATE TABLE batch (
            serial INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
            endpoint TEXT NOT NULL, input_file TEXT NOT NULL, completion_window TEXT NOT NULL,
            metadata TEXT NOT NULL, output_lifetime INTEGER, idempotency_key TEXT, state TEXT NOT NULL,
            ends_expired INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, expires INTEGER NOT NULL,
            in_progress INTEGER, finalizing INTEGER, completed INTEGER, failed INTEGER, expired INTEGER,
            cancelling INTEGER, cancelled INTEGER, lines INTEGER NOT NULL DEFAULT 0,
            total_lines INTEGER NOT NULL DEFAULT 0, completed_lines INTEGER NOT NULL DEFAULT 0,
            failed_lines INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0,
            cached_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
            faults TEXT NOT NULL DEFAULT '[]', planned_output TEXT NOT NULL, planned_error TEXT NOT NULL,
            output_file TEXT, error_file TEXT, model TEXT, ended INTEGER NOT NULL DEFAULT 0,
            sealed INTEGER NOT NULL DEFAULT 0, swept INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE lane (
            id INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL, model TEXT NOT NULL,
            deadline INTEGER NOT NULL, open INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0,
            delayed INTEGER NOT NULL DEFAULT 0, leased INTEGER NOT NULL DEFAULT 0, UNIQUE (batch, model));
        CREATE TABLE job (
            id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, state INTEGER NOT NULL, custom_id TEXT NOT NULL,
            body_offset INTEGER NOT NULL, body_length INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
            output_tokens INTEGER, sequences INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            retries INTEGER NOT NULL DEFAULT 0, not_before INTEGER, lease INTEGER);
        CREATE TABLE result (
            job INTEGER PRIMARY KEY, status INTEGER, request_id TEXT, code TEXT, message TEXT, body BLOB);
        """

    /// Lines that may be sent once only; models that were served once.
    private static let secondVersion = """
        ALTER TABLE job ADD COLUMN once INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE model (name TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX model_by_time ON model (seen, name);
        """

    private static let indexes = """
        CREATE INDEX file_by_tenant ON file (tenant, serial);
        CREATE INDEX file_by_end ON file (expires) WHERE expires IS NOT NULL;
        CREATE INDEX batch_by_tenant ON batch (tenant, serial);
        CREATE UNIQUE INDEX batch_by_key ON batch (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX batch_running ON batch (serial) WHERE ended = 0;
        CREATE INDEX batch_by_input ON batch (input_file) WHERE ended = 0;
        CREATE INDEX batch_by_window ON batch (expires) WHERE state IN ('validating', 'in_progress');
        CREATE INDEX batch_unswept ON batch (serial) WHERE ended = 1 AND swept = 0;
        CREATE INDEX batch_old ON batch (created) WHERE swept = 1;
        CREATE INDEX lane_ready ON lane (model, deadline, batch, id) WHERE open = 1 AND pending > 0;
        CREATE INDEX job_pending ON job (lane, id) WHERE state = 0;
        CREATE INDEX job_delayed ON job (not_before) WHERE state = 1;
        CREATE INDEX job_leased ON job (id) WHERE state = 2;
        """
}
