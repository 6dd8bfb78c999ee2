import Synchronization

/// Bounds how many values a label may take: the first ones are told apart, later ones become `other`.
///
/// Asked only when a shard meets a value for the first time, so its lock is never hot.
final class LabelLimit: Sendable {
    static let overflow = "other"
    private let limit: Int
    private let known = Mutex<Set<String>>([])

    init(limit: Int) { self.limit = limit }

    func admit(_ value: String) -> String {
        known.withLock { known in
            if known.contains(value) { return value }
            guard known.count < limit else { return LabelLimit.overflow }
            known.insert(value)
            return value
        }
    }
}
