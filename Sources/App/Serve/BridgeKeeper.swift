import DataPlane
import ServiceLifecycle

/// Runs the control bridge until the traffic before it has drained, and then closes it.
struct BridgeKeeper: Service {
    let bridge: ControlBridge

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await bridge.run()
        } onGracefulShutdown: {
            bridge.close()
        }
    }
}
