import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func rememberModels(_ names: [String], now: WallTime) async throws(StoreFailure) {
        let limit = settings.knownModels
        try await writer.run { db in
            for name in names {
                try db.cachedStatement(
                    sql: "INSERT INTO model (name, seen) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seen = ?2"
                ).execute(arguments: [name, now.milliseconds])
            }
            try db.execute(
                sql: """
                    DELETE FROM model WHERE name IN
                        (SELECT name FROM model ORDER BY seen DESC, name LIMIT -1 OFFSET ?)
                    """, arguments: [limit])
        }
    }

    package func knownModels() async throws(StoreFailure) -> [String] {
        try await read { db in try String.fetchAll(db, sql: "SELECT name FROM model ORDER BY name") }
    }
}
