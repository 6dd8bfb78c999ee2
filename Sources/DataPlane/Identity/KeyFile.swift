/// The text of a key file: one key per line, hashed.
///
///     # tenant   SHA-256 of the key, in hex                                         rights
///     research   9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08   trusted
///     operators  60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752   admin trusted
///
/// A tenant may have several keys. `admin` opens `/admin`; headers for objective, fairness and SLO count only from
/// `trusted` keys.
package enum KeyFile {
    /// The largest file that is read, bytes.
    package static let maximumBytes = 4 << 20
    package static let maximumTenantBytes = 128

    /// Reads the whole file or nothing: one bad line refuses it.
    package static func parse(_ text: String) throws(KeyFileError) -> [KeyEntry] {
        if text.utf8.count > maximumBytes {
            throw KeyFileError(line: nil, problem: "the file is larger than \(maximumBytes) bytes")
        }
        var entries: [KeyEntry] = []
        var seen: [KeyDigest: Int] = [:]
        // CR LF is one Character in Swift, so both line ends are named.
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (offset, raw) in lines.enumerated() {
            let line = offset + 1
            let words = raw.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            if words.isEmpty { continue }
            let entry = try parse(words, line: line)
            if let first = seen.updateValue(line, forKey: entry.digest) {
                throw KeyFileError(line: line, problem: "the key of line \(first) again: one key means one tenant")
            }
            entries.append(entry)
        }
        return entries
    }

    private static func parse(_ words: [Substring], line: Int) throws(KeyFileError) -> KeyEntry {
        guard words.count >= 2 else {
            throw KeyFileError(line: line, problem: "expected `tenant sha256-in-hex [admin] [trusted]`")
        }
        let tenant = String(words[0])
        guard isTenant(tenant) else {
            throw KeyFileError(
                line: line,
                problem:
                    "the tenant may hold letters, digits and `.`, `_`, `-`, `@`, `/`, at most \(maximumTenantBytes) bytes"
            )
        }
        guard let digest = KeyDigest(hexadecimal: words[1]) else {
            throw KeyFileError(
                line: line, problem: "the second word must be a key's SHA-256, 64 hexadecimal digits (`neap keys hash`)"
            )
        }
        var identity = Identity(tenant: tenant, isTrusted: false, isAdmin: false)
        for word in words.dropFirst(2) {
            switch word {
            case "admin": identity.isAdmin = true
            case "trusted": identity.isTrusted = true
            default:
                throw KeyFileError(
                    line: line, problem: "`\(word.prefix(40))` is not a right: allowed are `admin` and `trusted`")
            }
        }
        return KeyEntry(digest: digest, identity: identity)
    }

    package static func isTenant(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumTenantBytes
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: Array("._-@/".utf8).contains(byte)
                }
            }
    }

    /// The line that adds this key to a file, without a line end.
    package static func line(for entry: KeyEntry) -> String {
        var words = [entry.identity.tenant, entry.digest.hexadecimal]
        if entry.identity.isAdmin { words.append("admin") }
        if entry.identity.isTrusted { words.append("trusted") }
        return words.joined(separator: " ")
    }
}

/// One key: who it stands for. The key itself is not known.
package struct KeyEntry: Sendable, Hashable {
    package var digest: KeyDigest
    package var identity: Identity

    package init(digest: KeyDigest, identity: Identity) {
        self.digest = digest
        self.identity = identity
    }
}

/// Why a key file was refused.
package struct KeyFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Counted from 1; nil when the file as a whole is the problem.
    package var line: Int?
    package var problem: String

    package init(line: Int?, problem: String) {
        self.line = line
        self.problem = problem
    }

    package var description: String { line.map { "line \($0): \(problem)" } ?? problem }
}
