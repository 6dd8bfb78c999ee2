import Foundation
import JobLifecycle

/// The layout of a data folder.
///
///     neap.lock   held while a process uses the folder
///     neap.db     files, batches, jobs, results
///     files/      bytes of stored files, by file id
///     incoming/   bytes of uploads and of files being built
struct StoreFolder: Sendable {
    let path: String

    var database: String { path + "/neap.db" }
    var lock: String { path + "/neap.lock" }
    var files: String { path + "/files" }
    var incoming: String { path + "/incoming" }

    func file(_ id: FileID) -> String { files + "/" + id.text }
    func temporary(_ name: String) -> String { incoming + "/" + name + ".part" }

    func create() throws(StoreFailure) {
        for folder in [path, files, incoming] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw StoreFailure(
                    code: .unavailable, message: "The data folder could not be made or is not writable.",
                    retry: .after(.seconds(5)))
            }
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
