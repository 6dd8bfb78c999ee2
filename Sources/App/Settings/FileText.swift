import Foundation

/// Reads small text files of the configuration.
enum FileText {
    /// The largest file that is read, in bytes: a configuration of thousands of endpoints is far below.
    static let limitBytes = 4 << 20

    @Sendable static func read(_ path: String) -> Result<String, FileFault> {
        guard FileManager.default.fileExists(atPath: path) else { return .failure(FileFault(reason: "no such file")) }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            return .failure(FileFault(reason: "a file that cannot be opened"))
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: limitBytes + 1) else {
            return .failure(FileFault(reason: "a file that cannot be read"))
        }
        guard data.count <= limitBytes else { return .failure(FileFault(reason: "more than \(limitBytes) bytes")) }
        guard let text = String(validating: data, as: UTF8.self) else {
            return .failure(FileFault(reason: "text that is not UTF-8"))
        }
        return .success(text)
    }
}
