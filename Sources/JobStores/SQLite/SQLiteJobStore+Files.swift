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

    package func file(_ id: FileID, tenant: String) async throws(StoreFailure) -> StoredFile {
        try await read { db in try FileRow.find(db, id, tenant: tenant) }
    }

    package func openFile(_ id: FileID, tenant: String) async throws(StoreFailure) -> any FileReading {
        let found = try await file(id, tenant: tenant)
        let path = folder.file(id)
        let disk = try await bytes.run { () throws(StoreFailure) in try DiskFile.read(path) }
        return DiskReader(file: found, disk: disk, queue: BlockingQueue("neap.store.download"))
    }

    package func files(_ query: FileQuery) async throws(StoreFailure) -> Page<StoredFile> {
        guard (1...10_000).contains(query.limit) else {
            throw StoreFailure(code: .invalid, message: "'limit' must be from 1 to 10000.")
        }
        return try await read { db in
            let newestFirst = query.order == .newestFirst
            var bound: Int64 = newestFirst ? .max : 0
            if let after = query.after {
                let serial = try Int64.fetchOne(
                    db, sql: "SELECT serial FROM file WHERE id = ? AND tenant = ?",
                    arguments: [after.text, query.tenant])
                guard let serial else { throw FileRow.missing(after) }
                bound = serial
            }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM file WHERE tenant = ? AND serial \(newestFirst ? "<" : ">") ?
                        AND (?3 IS NULL OR purpose = ?3)
                    ORDER BY serial \(newestFirst ? "DESC" : "ASC") LIMIT ?
                    """,
                arguments: [query.tenant, bound, query.purpose?.rawValue, query.limit + 1])
            let items = try rows.prefix(query.limit).map { try FileRow.file($0) }
            return Page(items: items, hasMore: rows.count > query.limit)
        }
    }

    package func deleteFile(_ id: FileID, tenant: String) async throws(StoreFailure) {
        try await writer.run { db in
            _ = try FileRow.find(db, id, tenant: tenant)
            let isUsed = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM batch WHERE input_file = ? AND ended = 0)", arguments: [id.text])
            if isUsed == true {
                throw StoreFailure(
                    code: .conflict,
                    message: "File '\(id.text)' is the input of a batch that has not ended. Cancel the batch first.")
            }
            try db.execute(sql: "DELETE FROM file WHERE id = ?", arguments: [id.text])
        }
        let path = folder.file(id)
        try await slow.run { () throws(StoreFailure) in DiskFile.remove(path) }
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
