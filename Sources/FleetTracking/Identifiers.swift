/// A pool: endpoints that serve the same models to the same traffic. Dense, in configuration order.
package struct PoolID: Hashable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
}

/// An endpoint: one model server. Dense, given out by the host, never reused while the process lives.
package struct EndpointID: Hashable, Comparable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
    package static func < (left: EndpointID, right: EndpointID) -> Bool { left.index < right.index }
}

/// A model or adapter name as requests spell it, interned by the host. Dense, never reused.
package struct ModelID: Hashable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
}

/// A tenant, interned by the host. `0` is the tenant of everybody when no keys are configured.
package struct TenantID: Hashable, Sendable {
    package var index: Int
    package init(_ index: Int) { self.index = index }
    package static let everybody = TenantID(0)
}

/// One piece of work under the scheduler: a real-time request, or one attempt of a job.
///
/// Unique while the process lives. The top byte names the home event loop: all effects of this work are
/// delivered there, in decision order.
package struct WorkID: Hashable, Sendable {
    package var rawValue: UInt64

    package init(home: Int, serial: UInt64) {
        precondition(home >= 0 && home < WorkID.maximumHomes, "home loop \(home) out of range")
        rawValue = UInt64(home) << 56 | (serial & 0x00ff_ffff_ffff_ffff)
    }

    /// The most event loops a process may have; the top byte of the raw value is the loop.
    package static let maximumHomes = 256

    package var home: Int { Int(rawValue >> 56) }
}

/// The two kinds of traffic, in strict order: real-time is served before async, always.
package enum Band: Int, CaseIterable, Sendable {
    case realtime
    case async

    /// The metric label and log field.
    package var label: String {
        switch self {
        case .realtime: "realtime"
        case .async: "async"
        }
    }
}
