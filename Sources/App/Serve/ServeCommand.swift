import ArgumentParser
import Foundation
import JobStores
import Logging
import NIOCore
import ServiceLifecycle

/// `neap serve`: the gateway.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the gateway.",
        discussion: """
            With no file at all: neap serve --engine http://127.0.0.1:8000. SIGTERM and SIGINT drain: running requests \
            go on to their end, then the exit code is 0; a second one ends at once. SIGHUP reads configuration, keys \
            and certificates again and reopens log files.
            """)

    @OptionGroup var options: GatewayOptions

    func run() async throws {
        let settings = try options.load()
        let level = Logger.Level(rawValue: settings.logLevel) ?? .info
        var logger = Logger(label: "neap") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        raiseFileLimit()
        do {
            let gateway = try Gateway(settings, logger: logger)
            try await GatewayLife(gateway: gateway, sources: options.sources()).run()
        } catch let fault as GatewayFault {
            StandardOutput.writeError("neap cannot start: \(fault.reason)\n")
            throw ExitCode(1)
        } catch let failure as StoreFailure {
            StandardOutput.writeError("neap cannot start: \(failure.message)\n")
            throw ExitCode(1)
        } catch let failure as IOError {
            // The one socket call that can fail here is the listener's.
            let reason = String(cString: strerror(failure.errnoCode))
            StandardOutput.writeError("neap cannot listen on \(settings.host):\(settings.port): \(reason)\n")
            throw ExitCode(1)
        } catch {
            StandardOutput.writeError("neap ended: \(error)\n")
            throw ExitCode(1)
        }
    }

    /// Every connection is a descriptor, and a shell's soft limit (often 1024) is far below the connection limit. At
    /// the limit a dial would fail and count against an endpoint that is well.
    private func raiseFileLimit() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
