/// Why a store did not do what was asked. The one error type of every store operation.
package struct StoreFailure: Error, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// No such file or batch for this tenant. A foreign tenant's is not found either.
        case notFound = "not_found"
        /// The state does not allow it (cancelling a completed batch, deleting a file in use).
        case conflict
        /// An argument is out of its range; the message says which and what is allowed.
        case invalid
        /// A file is over the store's limit.
        case tooLarge = "too_large"
        /// A named limit of the store is reached (batches per tenant, waiting operations).
        case limitReached = "limit_reached"
        /// Disk full, read-only, corrupt, not opened: the health says the same. Answer 503.
        case unavailable
        /// Another process holds the data folder.
        case locked
        /// The store is shut down.
        case closed
    }

    package enum Retry: Sendable, Hashable {
        case never
        /// Worth repeating after this time.
        case after(Duration)
    }

    package var code: Code
    /// What, where, and how to mend it. Fit for a client's eyes: no paths outside the data folder, no SQL.
    package var message: String
    package var retry: Retry

    package init(code: Code, message: String, retry: Retry = .never) {
        self.code = code
        self.message = message
        self.retry = retry
    }

    package var description: String { "\(code.rawValue): \(message)" }
}

/// Whether a store can make things durable right now.
package enum StoreHealth: Sendable, Hashable {
    case ok
    /// Async routes answer 503 with the reason; real-time is not affected. Mends itself when the disk does.
    case unavailable(reason: String)
}
