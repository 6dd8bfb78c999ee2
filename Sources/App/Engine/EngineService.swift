import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The simulated engine as a process: listens until it is told to stop.
struct EngineService: Service {
    let options: EngineOptions

    /// The life cycle of one small process is not worth log lines.
    static let silence = Logger(label: "engine") { _ in SwiftLogNoOpLogHandler() }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await EngineServer.start(options, on: group.next()) {
            // As a crash does: no answer, no clean-up.
            kill(getpid(), SIGKILL)
        }
        announce("listening on http://\(options.host):\(server.port)")
        try await gracefulShutdown()
        try await server.stop()
        try await group.shutdownGracefully()
    }

    /// One line on standard output, at once even where it is a pipe.
    private func announce(_ line: String) {
        print(line)
        fflush(nil)
    }
}
