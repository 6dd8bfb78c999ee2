import Foundation
import JobLifecycle

/// The layout of a data folder.
///
///     neap.lock   held while a process uses the folder
///     neap.db     files, batches, jobs, results
///     files/      bytes of stored files, by file id
///     incoming/   bytes of uploads and of files being built
///
/// Prompts and answers lie here in clear text, so only the owner may read them. A data folder that somebody else made
/// keeps its rights (it may be a shared one); what is inside is closed by itself.
struct StoreFolder: Sendable {
    let path: String

    init(path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    var database: String { path + "/neap.db" }
    var lock: String { path + "/neap.lock" }
    var files: String { path + "/files" }
    var incoming: String { path + "/incoming" }

    func file(_ id: FileID) -> String { files + "/" + id.text }
    func temporary(_ name: String) -> String { incoming + "/" + name + ".part" }

    func create() throws(StoreFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: DiskFile.parent(of: path), withIntermediateDirectories: true)
        } catch {
            throw StoreFailure(
                code: .unavailable, message: "The folder above the data folder could not be made.",
                retry: .after(.seconds(5)))
        }
        for folder in [path, files, incoming] { try DiskFile.makeFolder(folder) }
        for folder in [files, incoming] { try DiskFile.restrictFolder(folder) }
    }

    /// Before the database is opened: it and its log are the owner's alone, also those of an earlier version.
    func closeDatabase() throws(StoreFailure) {
        try DiskFile.makePrivate(database)
        for log in [database + "-wal", database + "-shm"] where access(log, F_OK) == 0 {
            try DiskFile.makePrivate(log)
        }
    }

    /// Names of leftovers in a folder; none when it cannot be read.
    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Bytes of the database and its log.
    var databaseBytes: Int {
        [database, database + "-wal"].reduce(0) { sum, path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
        }
    }
}
