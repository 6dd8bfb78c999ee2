/// What `/readyz` tells. The store's health is told, and does not make the gateway unready: real-time goes on.
package struct ReadinessFigures: Sendable, Equatable {
    package var isListening = false
    /// The first round of scrapes was tried, whatever came of it.
    package var isFirstRoundTried = false
    package var isDraining = false
    /// Nil: well. Else why async routes answer 503.
    package var storeFault: String?

    package init() {}

    /// Traffic may be sent here.
    package var isReady: Bool { isListening && isFirstRoundTried && !isDraining }
}
