import JobLifecycle

/// An output or error file while it is built: gathered in memory up to 256 KiB, then appended.
struct LineFile {
    private let disk: DiskFile
    private let temporary: String
    private let path: String
    private var waiting: [UInt8] = []
    private(set) var lines = 0
    private(set) var bytes = 0

    init(id: FileID, folder: StoreFolder) throws(StoreFailure) {
        temporary = folder.temporary(id.text)
        path = folder.file(id)
        disk = try DiskFile.create(temporary)
    }

    mutating func append(_ line: [UInt8]) throws(StoreFailure) {
        waiting.append(contentsOf: line)
        lines += 1
        bytes += line.count
        if waiting.count >= 256 << 10 { try flush() }
    }

    private mutating func flush() throws(StoreFailure) {
        try disk.append(waiting)
        waiting.removeAll(keepingCapacity: true)
    }

    /// Gives the file its final name, durably; removes it when it has no line.
    mutating func publish() throws(StoreFailure) {
        if lines == 0 { return DiskFile.remove(temporary) }
        try flush()
        try disk.synchronize()
        try DiskFile.publish(from: temporary, to: path)
    }
}
