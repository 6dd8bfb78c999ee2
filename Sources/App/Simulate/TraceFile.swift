import Glibc
import Simulation

/// Reads a trace from a file, or from the standard input when its name is `-`.
enum TraceFile {
    /// Bytes of the longest trace that is read.
    static let longest = 1 << 30
    private static let chunkBytes = 1 << 20

    static func read(_ path: String) throws(TraceFault) -> [UInt8] {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TraceFault(file: path, line: 0, message: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { if path != "-" { _ = close(descriptor) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunkBytes)
            if count < 0 {
                throw TraceFault(file: path, line: 0, message: "cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= longest else {
                throw TraceFault(file: path, line: 0, message: "is longer than \(longest) bytes")
            }
        }
        if bytes.starts(with: [0x1f, 0x8b]) {
            throw TraceFault(
                file: path, line: 0, message: "is compressed; pipe it: zcat FILE | neap simulate --trace -")
        }
        return bytes
    }
}
