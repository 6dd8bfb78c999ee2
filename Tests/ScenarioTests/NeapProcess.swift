import Foundation
import Synchronization

/// One `neap` process, the binary that was built with these tests. Killed at the latest when it is let go.
final class NeapProcess: Sendable {
    private let process: Mutex<Process>
    private let lines: AsyncStream<String>
    private let seen = Mutex<[String]>([])
    private let ended: AsyncStream<Int32>

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Starts `neap` with these arguments. Standard output and standard error are read as lines.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = try NeapProcess.binary()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        self.lines = lines
        self.ended = ended
        // The lines end with the streams, not with the process: what it wrote last may be read after its end.
        let open = Mutex(2)
        for stream in ["out", "error"] {
            let pipe = Pipe()
            let rest = Mutex(Data())
            pipe.fileHandleForReading.readabilityHandler = { handle in
                let data = handle.availableData
                if data.isEmpty {
                    handle.readabilityHandler = nil
                    let isLast = open.withLock { open in
                        open -= 1
                        return open == 0
                    }
                    if isLast { line.finish() }
                    return
                }
                for text in rest.withLock({ NeapProcess.cut($0.appended(data), rest: &$0) }) { line.yield(text) }
            }
            if stream == "out" { process.standardOutput = pipe } else { process.standardError = pipe }
        }
        process.terminationHandler = { process in
            end.yield(process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus)
            end.finish()
        }
        try process.run()
        self.process = Mutex(process)
    }

    deinit {
        process.withLock { process in if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    }

    func send(_ signal: Int32) { process.withLock { _ = kill($0.processIdentifier, signal) } }

    /// The first line from now on that contains `text`; throws with all lines when the process ends before.
    @discardableResult
    func line(with text: String) async throws -> String {
        for await line in lines {
            seen.withLock { $0.append(line) }
            if line.contains(text) { return line }
        }
        throw Failure(description: "no line with '\(text)':\n" + seen.withLock { $0.joined(separator: "\n") })
    }

    /// The exit code; the negative signal number when one ended it.
    func exitCode() async -> Int32 {
        for await code in ended { return code }
        return process.withLock { $0.terminationStatus }
    }

    private static func cut(_ data: Data, rest: inout Data) -> [String] {
        var pieces = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = Data(pieces.removeLast())
        return pieces.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Beside the bundle that the test runner was given.
    private static func binary() throws -> URL {
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").flatMap { index in
            arguments.indices.contains(index + 1) ? arguments[index + 1] : nil
        }
        var folder = URL(filePath: bundle ?? arguments[0])
        for _ in 0..<5 {
            folder = folder.deletingLastPathComponent()
            let candidate = folder.appending(path: "neap")
            if FileManager.default.isExecutableFile(atPath: candidate.path()) { return candidate }
        }
        throw Failure(description: "there is no neap binary beside \(bundle ?? arguments[0])")
    }
}

extension Data {
    fileprivate func appended(_ more: Data) -> Data { self + more }
}
