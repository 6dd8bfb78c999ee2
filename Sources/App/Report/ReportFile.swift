import Glibc
import Simulation

/// A file that a command writes its figures to.
enum ReportFile {
    static func write(_ text: String, to path: String) throws(TraceFault) {
        guard let file = fopen(path, "w") else { throw fault(path) }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw fault(path) }
    }

    private static func fault(_ path: String) -> TraceFault {
        TraceFault(file: path, line: 0, message: "cannot be written: \(String(cString: strerror(errno)))")
    }
}
