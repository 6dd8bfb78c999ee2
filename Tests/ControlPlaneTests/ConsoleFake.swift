import ControlPlane
import FleetTracking
import SchedulerRuntime
import Synchronization

/// A gateway whose figures a test sets.
final class ConsoleFake: FleetConsole {
    struct State: Sendable {
        var directory = Directory()
        var figures = FleetFigures()
        var draining: Set<EndpointID> = []
    }

    let state = Mutex(State())
    let health = Mutex(Readiness.Report())

    var directory: Directory { state.withLock { $0.directory } }
    var readiness: Readiness.Report { health.withLock { $0 } }
    func figures() -> FleetFigures { state.withLock { $0.figures } }
    func metrics() -> [UInt8] { Array("# HELP neap_up 1\n".utf8) }

    func explain(requestID: String) -> [UInt8]? {
        requestID == "req-known" ? Array(#"{"endpoint":"http://a"}"#.utf8) : nil
    }

    func setDraining(_ endpoint: EndpointID, _ isDraining: Bool) -> Bool {
        guard endpoint.index < 2 else { return false }
        state.withLock { state in
            if isDraining { state.draining.insert(endpoint) } else { state.draining.remove(endpoint) }
        }
        return true
    }
}
