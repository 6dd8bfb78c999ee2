/// What is wrong with a trace, and where.
package struct TraceFault: Error, Equatable, CustomStringConvertible {
    package var file: String
    /// Counts from 1; 0: the whole file.
    package var line: Int
    package var message: String

    package init(file: String, line: Int, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    package var description: String { line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)" }
}
