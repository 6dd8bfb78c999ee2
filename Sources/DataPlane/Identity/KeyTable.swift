import Synchronization

/// The keys in force. Replaced as a whole on reload; read on every request.
package final class KeyTable: Identifying {
    private let entries: Mutex<[KeyDigest: Identity]>

    package init(_ entries: [KeyEntry]) { self.entries = Mutex(KeyTable.index(entries)) }

    package func replace(with entries: [KeyEntry]) {
        let table = KeyTable.index(entries)
        self.entries.withLock { $0 = table }
    }

    package var count: Int { entries.withLock { $0.count } }

    /// Keys are compared by digest: a timing difference tells something about the digest of a guess only.
    package func identify(authorization: String?, apiKey: String?) -> Identity? {
        if let key = authorization.flatMap(KeyTable.bearer), let identity = lookUp(key) { return identity }
        return apiKey.flatMap(lookUp)
    }

    private func lookUp(_ key: some StringProtocol) -> Identity? {
        let digest = KeyDigest(ofKey: key)
        return entries.withLock { $0[digest] }
    }

    /// The token of `Bearer TOKEN` (RFC 6750); nil for another scheme.
    private static func bearer(_ header: String) -> Substring? {
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        let token = words[1].drop { $0 == " " }
        return token.isEmpty ? nil : token
    }

    private static func index(_ entries: [KeyEntry]) -> [KeyDigest: Identity] {
        Dictionary(entries.map { ($0.digest, $0.identity) }) { first, _ in first }
    }
}
