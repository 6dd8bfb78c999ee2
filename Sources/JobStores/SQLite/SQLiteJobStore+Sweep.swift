import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func sweep(now: WallTime) async throws(StoreFailure) -> Bool {
        let limit = settings.rowsPerSweep
        let oldest = now + (.zero - settings.batchLifetime)
        let (more, gone) = try await writer.run { db -> (Bool, [String]) in
            if let serial = try Int64.fetchOne(
                db, sql: "SELECT serial FROM batch WHERE ended = 1 AND swept = 0 ORDER BY serial LIMIT 1")
            {
                try SQLiteJobStore.sweepLines(db, serial, limit: limit)
                return (true, [])
            }
            try db.execute(
                sql: """
                    DELETE FROM batch WHERE serial IN
                        (SELECT serial FROM batch WHERE swept = 1 AND created <= ? ORDER BY created LIMIT 100)
                    """, arguments: [oldest.milliseconds])
            let forgotten = db.changesCount
            // The input of a batch that has not ended is kept until it has, whatever its own end says.
            let gone = try String.fetchAll(
                db,
                sql: """
                    SELECT id FROM file WHERE expires <= ? AND NOT EXISTS
                        (SELECT 1 FROM batch WHERE batch.input_file = file.id AND batch.ended = 0)
                    ORDER BY expires LIMIT 100
                    """, arguments: [now.milliseconds])
            for id in gone { try db.execute(sql: "DELETE FROM file WHERE id = ?", arguments: [id]) }
            return (forgotten > 0 || !gone.isEmpty, gone)
        }
        let paths = gone.map { folder.file(FileID($0)) }
        try await slow.run { () throws(StoreFailure) in for path in paths { DiskFile.remove(path) } }
        return more
    }

    /// Removes some lines of a final batch: its results are in the files.
    private static func sweepLines(_ db: Database, _ serial: Int64, limit: Int) throws {
        let first = JobID(batchSerial: serial, line: 0).rawValue
        let last = JobID(batchSerial: serial, line: JobID.maximumLines - 1).rawValue
        let ids = try Int64.fetchAll(
            db, sql: "SELECT id FROM job WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", arguments: [first, last, limit])
        guard let low = ids.first, let high = ids.last else {
            try db.execute(sql: "DELETE FROM lane WHERE batch = ?", arguments: [serial])
            try db.execute(sql: "UPDATE batch SET swept = 1 WHERE serial = ?", arguments: [serial])
            return
        }
        try db.execute(sql: "DELETE FROM result WHERE job BETWEEN ? AND ?", arguments: [low, high])
        try db.execute(sql: "DELETE FROM job WHERE id BETWEEN ? AND ?", arguments: [low, high])
    }
}
