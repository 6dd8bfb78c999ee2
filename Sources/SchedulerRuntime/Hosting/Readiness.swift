import Synchronization

/// What `/readyz` and `/livez` tell. Set by those who know; read by the page and the listener.
package final class Readiness: Sendable {
    /// The answer of `/readyz`. The store's health is told, and does not make the gateway unready: real-time goes on.
    package struct Report: Sendable, Equatable {
        package var isListening = false
        package var isFirstRoundTried = false
        package var isDraining = false
        /// Nil: well, or no store is configured. Else why async routes answer 503.
        package var storeFault: String?

        package init() {}

        /// Traffic may be sent here.
        package var isReady: Bool { isListening && isFirstRoundTried && !isDraining }
    }

    private let state = Mutex(Report())

    package init() {}

    package var report: Report { state.withLock { $0 } }

    package func listening(_ isListening: Bool) { state.withLock { $0.isListening = isListening } }
    package func firstRoundTried() { state.withLock { $0.isFirstRoundTried = true } }
    package func draining() { state.withLock { $0.isDraining = true } }
}
