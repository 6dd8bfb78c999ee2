/// Faults as a file lists them: one to a line, `KIND ENDPOINT AT LASTS`, times in seconds from the first arrival.
/// What follows a `#` is a remark.
package enum FaultLines {
    /// The most faults of one run.
    package static let limit = 10_000

    package static func parse(_ text: String, file: String, endpoints: Int) throws(TraceFault) -> [EngineFault] {
        var faults: [EngineFault] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            if words.isEmpty { continue }
            guard words.count == 4, let kind = EngineFault.Kind(rawValue: String(words[0])),
                let endpoint = Int(words[1]), let at = seconds(words[2]), let lasts = seconds(words[3])
            else {
                let kinds = EngineFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw TraceFault(
                    file: file, line: number,
                    message: "expected KIND ENDPOINT AT LASTS, times in seconds; kinds are \(kinds)")
            }
            guard (0..<endpoints).contains(endpoint) else {
                throw TraceFault(
                    file: file, line: number, message: "endpoint \(endpoint) is not one of 0 to \(endpoints - 1)")
            }
            guard faults.count < limit else {
                throw TraceFault(file: file, line: number, message: "more than \(limit) faults")
            }
            faults.append(EngineFault(kind, endpoint: endpoint, at: at, lasts: lasts))
        }
        return faults
    }

    private static func seconds(_ word: Substring) -> Duration? {
        guard let value = Double(word), value >= 0, value <= 1e9 else { return nil }
        return .nanoseconds(Int64(value * 1e9))
    }
}
