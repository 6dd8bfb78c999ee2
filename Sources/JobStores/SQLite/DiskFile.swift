import Foundation

/// A file descriptor that closes itself. All calls block: they belong on a store's own queues.
final class DiskFile: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    /// Makes or empties a file for writing.
    static func create(_ path: String) throws(StoreFailure) -> DiskFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFile.failure("create a file", errno) }
        return DiskFile(descriptor: descriptor)
    }

    /// Makes sure that the file is there and that only its owner may read or write it. What SQLite adds beside a
    /// database has the database's rights, so this is enough for its log too.
    static func makePrivate(_ path: String) throws(StoreFailure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFile.failure("open a file", errno) }
        defer { _ = close(descriptor) }
        DiskFile.restrict(descriptor, to: 0o600)
    }

    /// Makes a folder that only its owner may enter, durably; one that is there already is left as it is. Its parent
    /// must be there.
    static func makeFolder(_ path: String) throws(StoreFailure) {
        if mkdir(path, 0o700) == 0 { return try synchronizeFolder(of: path) }
        let code = errno
        var status = stat()
        guard code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw DiskFile.failure("make a folder", code)
        }
    }

    /// Takes the rights of others from a folder that an earlier version or another umask left open.
    static func restrictFolder(_ path: String) throws(StoreFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFile.failure("open a folder", errno) }
        defer { _ = close(descriptor) }
        DiskFile.restrict(descriptor, to: 0o700)
    }

    /// Best effort: a file system without rights must not stop the store.
    private static func restrict(_ descriptor: Int32, to mode: mode_t) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o777 & ~mode != 0 else { return }
        _ = fchmod(descriptor, status.st_mode & mode)
    }

    static func read(_ path: String) throws(StoreFailure) -> DiskFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw StoreFailure(code: .notFound, message: "the file's bytes are gone") }
            throw DiskFile.failure("open a file", errno)
        }
        return DiskFile(descriptor: descriptor)
    }

    func append(_ bytes: [UInt8]) throws(StoreFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskFile.failure("write to a file", errno)
            }
            written += count
        }
    }

    /// Up to `count` bytes; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(StoreFailure) -> [UInt8] {
        guard count > 0 else { return [] }
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if got < 0 {
                    if errno == EINTR { continue }
                    failed = errno
                    return
                }
                if got == 0 { return }
                filled += got
            }
        }
        if failed != 0 { throw DiskFile.failure("read a file", failed) }
        return bytes
    }

    func synchronize() throws(StoreFailure) {
        guard fsync(descriptor) == 0 else { throw DiskFile.failure("make a file durable", errno) }
    }

    /// Takes the lock of the data folder for the life of this value; nil when another process has it.
    static func lock(_ path: String) throws(StoreFailure) -> DiskFile? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFile.failure("open the data folder's lock", errno) }
        let file = DiskFile(descriptor: descriptor)
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return file }
        if errno == EWOULDBLOCK { return nil }
        throw DiskFile.failure("lock the data folder", errno)
    }

    /// Moves a finished file to its final name and makes the name durable.
    static func publish(from temporary: String, to path: String) throws(StoreFailure) {
        guard rename(temporary, path) == 0 else { throw DiskFile.failure("name a file", errno) }
        try synchronizeFolder(of: path)
    }

    /// The folder that holds a name. `path` must not end in a slash.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a name durable: it is its folder's content.
    private static func synchronizeFolder(of path: String) throws(StoreFailure) {
        let descriptor = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFile.failure("open the data folder", errno) }
        try DiskFile(descriptor: descriptor).synchronize()
    }

    /// Missing files are fine: removal is repeated after a crash.
    static func remove(_ path: String) { _ = unlink(path) }

    static func failure(_ what: String, _ code: Int32) -> StoreFailure {
        let reason =
            switch code {
            case ENOSPC, EDQUOT: "the disk is full"
            case EROFS: "the file system is read-only"
            case EACCES, EPERM: "permission denied"
            case EMFILE, ENFILE: "too many open files"
            case EIO: "the disk reports an error"
            default: "system error \(code)"
            }
        return StoreFailure(
            code: .unavailable, message: "The store could not \(what): \(reason).", retry: .after(.seconds(5)))
    }
}
