import DataPlane
import Foundation
import Glibc

/// Adds lines to a key file so that a reader never sees half of one. Owner, group and mode stay as they are: the
/// gateway that reads the file is often another user than the operator who adds a key. Edits of one folder's key files
/// come one after the other, so that none is lost.
struct KeyFileEdit {
    let path: String
    /// The system's `fchown`, but for tests: 0, or -1 with `errno`.
    var setOwner: (Int32, uid_t, gid_t) -> Int32 = { fchown($0, $1, $2) }
    /// The system's `flock`, but for tests: 0, or -1 with `errno`.
    var setLock: (Int32, Int32) -> Int32 = { flock($0, $1) }
    /// How often, at ten milliseconds' distance, another's edit is waited for: five seconds.
    var lockAttempts = 500

    /// Reads the file as the gateway would, adds the entry, and puts the whole in place at once. Refuses, and leaves
    /// everything as it was, when the new file cannot be given to the old one's owner.
    func append(_ entry: KeyEntry) throws(KeyFileError) {
        let lock = try lockFolder()
        defer { close(lock) }
        let before = try present()
        let separator = before.text.isEmpty || before.text.hasSuffix("\n") ? "" : "\n"
        let text = before.text + separator + KeyFile.line(for: entry) + "\n"
        _ = try KeyFile.parse(text)
        try replace(before, with: text)
    }

    /// The folder is locked, not the file: that is replaced by another. The lock goes with the descriptor.
    private func lockFolder() throws(KeyFileError) -> Int32 {
        let target = realpath(path, nil)
        defer { free(target) }
        let file = target.map { String(cString: $0) } ?? path
        let parent = URL(fileURLWithPath: file).deletingLastPathComponent().path
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("cannot be changed, because its folder cannot be opened") }
        for _ in 0..<max(1, lockAttempts) {
            if setLock(folder, LOCK_EX | LOCK_NB) == 0 { return folder }
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let refusal = failure(
                    "lies in a folder that cannot be locked, as on some network file systems; without a lock two edits "
                        + "at once could lose a key, so nothing was changed (`neap keys hash` makes a line that you "
                        + "can add with an editor)")
                close(folder)
                throw refusal
            }
            usleep(10_000)
        }
        let refusal = failure("is being changed by another process; nothing was changed")
        close(folder)
        throw refusal
    }

    private struct Present {
        var text: String
        /// Where the bytes are: a link stays a link.
        var path: String
        var mode: mode_t
        /// Nil: there was no file.
        var owner: (user: uid_t, group: gid_t)?
    }

    /// A missing file is an empty one that only its owner may read.
    private func present() throws(KeyFileError) -> Present {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return Present(text: "", path: path, mode: 0o600) }
            throw failure("cannot be read")
        }
        guard let resolved = realpath(path, nil) else { throw failure("cannot be read") }
        defer { free(resolved) }
        guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self)
        else { throw KeyFileError(line: nil, problem: "cannot be read as UTF-8 text") }
        _ = try KeyFile.parse(text)
        return Present(
            text: text, path: String(cString: resolved), mode: status.st_mode & 0o7777,
            owner: (status.st_uid, status.st_gid))
    }

    private func replace(_ before: Present, with text: String) throws(KeyFileError) {
        let temporary = before.path + ".new"
        unlink(temporary)
        // Nobody else reads it before it has its owner.
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot write beside it") }
        defer { close(file) }
        do throws(KeyFileError) {
            try write(text, to: file, before)
            guard rename(temporary, before.path) == 0 else { throw failure("cannot be written") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private func write(_ text: String, to file: Int32, _ before: Present) throws(KeyFileError) {
        if let owner = before.owner, setOwner(file, owner.user, owner.group) != 0 {
            throw failure(
                "belongs to user \(owner.user) and group \(owner.group), which a changed file cannot be given (run this "
                    + "as that user or as root); nothing was changed")
        }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count, fchmod(file, before.mode) == 0, fsync(file) == 0
        else { throw failure("cannot be written") }
    }

    private func failure(_ what: String) -> KeyFileError {
        KeyFileError(line: nil, problem: "\(what): \(String(cString: strerror(errno)))")
    }
}
