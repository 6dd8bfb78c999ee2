import DataPlane
import Foundation
import Glibc

/// Adds lines to a key file so that a reader never sees half of one.
struct KeyFileEdit {
    let path: String

    /// Reads the file as the gateway would, adds the entry, and puts the whole in place at once.
    func append(_ entry: KeyEntry) throws(KeyFileError) {
        let before = try present()
        let separator = before.text.isEmpty || before.text.hasSuffix("\n") ? "" : "\n"
        let text = before.text + separator + KeyFile.line(for: entry) + "\n"
        _ = try KeyFile.parse(text)
        try replace(with: text, mode: before.mode)
    }

    /// A missing file is an empty one that only its owner may read.
    private func present() throws(KeyFileError) -> (text: String, mode: mode_t) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return ("", 0o600) }
            throw failure("cannot be read")
        }
        guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self)
        else { throw KeyFileError(line: nil, problem: "cannot be read as UTF-8 text") }
        _ = try KeyFile.parse(text)
        return (text, status.st_mode & 0o777)
    }

    private func replace(with text: String, mode: mode_t) throws(KeyFileError) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("cannot write beside it") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fchmod(file, mode) == 0, fsync(file) == 0,
            rename(temporary, path) == 0
        else {
            let failure = failure("cannot be written")
            unlink(temporary)
            throw failure
        }
    }

    private func failure(_ what: String) -> KeyFileError {
        KeyFileError(line: nil, problem: "\(what): \(String(cString: strerror(errno)))")
    }
}
