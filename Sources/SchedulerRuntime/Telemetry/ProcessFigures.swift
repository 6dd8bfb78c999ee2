#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the operating system says about this process. Read at each scrape; a figure that cannot be read is left out.
struct ProcessFigures: Sendable {
    var cpuSeconds: Double?
    var residentBytes: Double?
    var virtualBytes: Double?
    var openFiles: Double?
    var fileLimit: Double?
    var startSeconds: Double?

    static func read() -> ProcessFigures {
        var figures = ProcessFigures()
        var usage = rusage()
        #if canImport(Glibc)
        let read = getrusage(RUSAGE_SELF.rawValue, &usage)
        #else
        let read = getrusage(RUSAGE_SELF, &usage)
        #endif
        if read == 0 {
            figures.cpuSeconds =
                Double(usage.ru_utime.tv_sec) + Double(usage.ru_stime.tv_sec)
                + (Double(usage.ru_utime.tv_usec) + Double(usage.ru_stime.tv_usec)) / 1e6
        }
        let pageBytes = Double(sysconf(Int32(_SC_PAGESIZE)))
        let pages = fields(of: "/proc/self/statm").map { Double($0) }
        if pages.count > 1, let size = pages[0], let resident = pages[1] {
            figures.virtualBytes = size * pageBytes
            figures.residentBytes = resident * pageBytes
        }
        figures.openFiles = countEntries(of: "/proc/self/fd")
        figures.fileLimit = fileLimitNow()
        figures.startSeconds = startTime
        return figures
    }

    /// Field 22 of `stat` counts clock ticks since the machine started, which `/proc/stat` gives as `btime`.
    private static let startTime: Double? = {
        let text = contents(of: "/proc/self/stat")
        guard let afterName = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: afterName)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        for line in contents(of: "/proc/stat").split(separator: "\n") where line.hasPrefix("btime ") {
            guard let boot = Double(line.dropFirst(6)) else { return nil }
            return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
        return nil
    }()

    private static func fileLimitNow() -> Double? {
        var limit = rlimit()
        #if canImport(Glibc)
        let read = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
        let read = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        return read == 0 ? Double(limit.rlim_cur) : nil
    }

    private static func countEntries(of path: String) -> Double? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        // `.`, `..` and the descriptor of this very reading are not counted.
        var count = -3.0
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }

    private static func fields(of path: String) -> [Substring] { contents(of: path).split(separator: " ") }

    private static func contents(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
