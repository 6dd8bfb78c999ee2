import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Acts on signals besides the first that ends the gateway: SIGHUP reloads, a second SIGTERM or SIGINT ends at once.
struct SignalWatch: Service {
    let reload: GatewayReload
    let logger: Logger

    func run() async throws {
        var endings = 0
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigterm, .sigint)
        for await signal in signals.cancelOnGracefulShutdown() {
            if signal == .sighup {
                await reload.run()
                continue
            }
            endings += 1
            guard endings > 1 else { continue }
            logger.warning("a second signal: running requests are cut")
            exit(1)
        }
    }
}
