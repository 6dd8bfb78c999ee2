import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func beginFile(_ draft: FileDraft) async throws(StoreFailure) -> any FileUploading {
        if case .unavailable(let reason) = health {
            throw StoreFailure(code: .unavailable, message: reason, retry: .after(.seconds(5)))
        }
        _ = try connection.pool()
        let id = FileID(RandomName.make("file-"))
        return try await DiskUpload.begin(id: id, draft: draft, store: self)
    }

    package func file(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> StoredFile {
        try await read { db in try FileRow.find(db, id, tenant: tenant, now: now) }
    }

    package func openFile(
        _ id: FileID, tenant: String, now: WallTime
    ) async throws(StoreFailure) -> any FileReading {
        try await reader(of: try await file(id, tenant: tenant, now: now))
    }

    package func openInput(_ file: FileID) async throws(StoreFailure) -> any FileReading {
        try await reader(of: try await read { db in try FileRow.find(db, file) })
    }

    private func reader(of file: StoredFile) async throws(StoreFailure) -> any FileReading {
        let path = folder.file(file.id)
        let disk = try await bytes.run { () throws(StoreFailure) in try DiskFile.read(path) }
        return DiskReader(file: file, disk: disk, queue: BlockingQueue("neap.store.download"))
    }

    package func files(_ query: FileQuery, now: WallTime) async throws(StoreFailure) -> Page<StoredFile> {
        guard (1...10_000).contains(query.limit) else {
            throw StoreFailure(code: .invalid, message: "'limit' must be from 1 to 10000.")
        }
        return try await read { db in
            let newestFirst = query.order == .newestFirst
            var bound: Int64 = newestFirst ? .max : 0
            if let after = query.after {
                let serial = try Int64.fetchOne(
                    // Also one whose end came since: the walk over the pages goes on from its place.
                    db, sql: "SELECT serial FROM file WHERE id = ? AND tenant = ?",
                    arguments: [after.text, query.tenant])
                guard let serial else { throw FileRow.missing(after) }
                bound = serial
            }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM file WHERE tenant = ?1 AND serial \(newestFirst ? "<" : ">") ?2
                        AND (?3 IS NULL OR purpose = ?3) AND (expires IS NULL OR expires > ?4)
                    ORDER BY serial \(newestFirst ? "DESC" : "ASC") LIMIT ?5
                    """,
                arguments: [query.tenant, bound, query.purpose?.rawValue, now.milliseconds, query.limit + 1])
            let items = try rows.prefix(query.limit).map { try FileRow.file($0) }
            return Page(items: items, hasMore: rows.count > query.limit)
        }
    }

    package func deleteFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) {
        try await writer.run { db in
            _ = try FileRow.find(db, id, tenant: tenant, now: now)
            let isUsed = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM batch WHERE input_file = ? AND ended = 0)", arguments: [id.text])
            if isUsed == true {
                throw StoreFailure(
                    code: .conflict,
                    message: "File '\(id.text)' is the input of a batch that has not ended. Cancel the batch first.")
            }
            try db.execute(sql: "DELETE FROM file WHERE id = ?", arguments: [id.text])
        }
        // Not behind the files of a batch that are being written: the client waits.
        let path = folder.file(id)
        try await bytes.run { () throws(StoreFailure) in DiskFile.remove(path) }
    }

    package func readBody(_ body: BodyLocation) async throws(StoreFailure) -> [UInt8] {
        let path = folder.file(body.file)
        return try await bytes.run { () throws(StoreFailure) in
            let read = try DiskFile.read(path).read(at: body.offset, count: body.length)
            guard read.count == body.length else {
                throw StoreFailure(code: .notFound, message: "the input file is shorter than it was")
            }
            return read
        }
    }
}
