import GRDB
import JobLifecycle

/// Rows of `file` as values and back.
enum FileRow {
    static func file(_ row: Row) throws -> StoredFile {
        let word: String = row["purpose"]
        guard let purpose = FilePurpose(rawValue: word) else {
            throw StoreFailure(code: .unavailable, message: "The store has a file with an unknown purpose.")
        }
        return StoredFile(
            id: FileID(row["id"]), tenant: row["tenant"], filename: row["filename"], purpose: purpose,
            bytes: row["bytes"], created: WallTime(milliseconds: row["created"]),
            expires: (row["expires"] as Int64?).map { WallTime(milliseconds: $0) })
    }

    /// A file that has come to its end is missing, although its row is removed later.
    static func find(_ db: Database, _ id: FileID, tenant: String, now: WallTime) throws -> StoredFile {
        let found = try find(db, id)
        guard found.tenant == tenant, found.expires.map({ $0 > now }) ?? true else { throw missing(id) }
        return found
    }

    static func find(_ db: Database, _ id: FileID) throws -> StoredFile {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM file WHERE id = ?"), arguments: [id.text])
        guard let row else { throw missing(id) }
        return try file(row)
    }

    static func missing(_ id: FileID) -> StoreFailure {
        StoreFailure(code: .notFound, message: "No file found with id '\(id.text.prefix(128))'.")
    }

    /// Adds the file; the same id again (a publishing that is repeated) replaces it.
    static func insert(_ db: Database, _ file: StoredFile) throws {
        try db.execute(
            sql: """
                INSERT INTO file (id, tenant, filename, purpose, bytes, created, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes
                """,
            arguments: [
                file.id.text, file.tenant, file.filename, file.purpose.rawValue, file.bytes,
                file.created.milliseconds, file.expires?.milliseconds,
            ])
    }
}
