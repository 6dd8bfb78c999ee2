import Foundation
import Glibc
package import Logging
import Synchronization

/// A key file on disk and the table it fills. A file that cannot be used leaves the keys in force untouched.
package final class KeyFileSource: Sendable {
    package let path: String
    package let table: KeyTable
    private let logger: Logger
    /// What the file looked like when it was last read, good or bad: a bad file is reported once, not every check.
    private let lastSeen: Mutex<FileStamp?>
    private let reloadFailures = Atomic<Int>(0)

    /// Reads the file for the first time. Throws `KeyFileError` when it is missing or wrong: a start without the
    /// keys that were asked for must fail.
    package init(path: String, logger: Logger) throws(KeyFileError) {
        let stamp = FileStamp(path: path)
        self.path = path
        self.logger = logger
        table = KeyTable(try KeyFileSource.read(path))
        lastSeen = Mutex(stamp)
    }

    /// How often a changed file could not be used since the start; for `/metrics`.
    package var failures: Int { reloadFailures.load(ordering: .relaxed) }

    /// Reads the file when its time, size or inode changed since the last look. Blocking: not for an event loop.
    package func reloadIfChanged() {
        let stamp = FileStamp(path: path)
        let changed = lastSeen.withLock { seen in
            defer { seen = stamp }
            return seen != stamp
        }
        if changed { reload() }
    }

    /// Reads the file now (SIGHUP). Blocking: not for an event loop. Returns false when the old keys stay.
    @discardableResult
    package func reload() -> Bool {
        do {
            let entries = try KeyFileSource.read(path)
            table.replace(with: entries)
            logger.info("keys reloaded", metadata: ["file": "\(path)", "keys": "\(entries.count)"])
            return true
        } catch {
            reloadFailures.wrappingAdd(1, ordering: .relaxed)
            logger.error(
                "key file not usable: the old keys stay in force",
                metadata: ["file": "\(path)", "problem": "\(error)", "keys": "\(table.count)"])
            return false
        }
    }

    private static func read(_ path: String) throws(KeyFileError) -> [KeyEntry] {
        guard let stamp = FileStamp(path: path) else {
            throw KeyFileError(line: nil, problem: "\(path): \(String(cString: strerror(errno)))")
        }
        if stamp.size > KeyFile.maximumBytes {
            throw KeyFileError(line: nil, problem: "\(path) is larger than \(KeyFile.maximumBytes) bytes")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw KeyFileError(line: nil, problem: "\(path) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw KeyFileError(line: nil, problem: "\(path) is not UTF-8 text")
        }
        return try KeyFile.parse(text)
    }
}

/// What tells that a file was changed or replaced.
private struct FileStamp: Sendable, Equatable {
    var seconds: Int
    var nanoseconds: Int
    var size: Int
    var inode: UInt64

    /// Nil when there is no such file; `errno` says why.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
        size = Int(status.st_size)
        inode = UInt64(status.st_ino)
    }
}
