/// Made-up traffic as people spell it: `synthetic:rate=20,turns=4`.
extension SyntheticTrace {
    package static let mark = "synthetic:"

    private enum Place: Sendable {
        case count(any WritableKeyPath<SyntheticTrace, Int> & Sendable, ClosedRange<Int>)
        case amount(any WritableKeyPath<SyntheticTrace, Double> & Sendable, ClosedRange<Double>)
    }

    private static let keys: [(name: String, place: Place, meaning: String)] = [
        ("requests", .count(\.requests, 1...10_000_000), "requests in all"),
        ("jobs", .count(\.jobs, 0...10_000_000), "jobs that wait from the start"),
        ("rate", .amount(\.startsPerSecond, 0.001...1_000_000), "conversations that begin in a second, on average"),
        ("cv", .amount(\.variation, 0...20), "variation of the gaps between them: 1 Poisson, more in bursts, 0 even"),
        ("period", .amount(\.period, 1...10_000_000), "seconds of a day, which begins at its trough"),
        ("depth", .amount(\.depth, 0...1), "how far the rate goes above and below its mean within a day, as a share"),
        ("turns", .amount(\.turns, 1...1000), "turns of a conversation, on average; each repeats what came before"),
        ("pause", .amount(\.pause, 0...1_000_000), "seconds from turn to turn, on average"),
        ("groups", .count(\.groups, 0...1_000_000), "groups of conversations with an opening in common; 0: none"),
        ("opening", .count(\.opening, 0...131_072), "tokens of an opening, in whole 64"),
        ("prompt", .amount(\.medianPrompt, 1...1_000_000), "tokens that a turn adds to the prompt, median"),
        ("output", .amount(\.medianOutput, 1...1_000_000), "tokens of an answer, median"),
        ("spread", .amount(\.spread, 0...4), "deviation of the logarithm of both; 1.5 has a heavy tail"),
        ("longest-prompt", .count(\.longestPrompt, 1...1_000_000), "tokens at most"),
        ("longest-output", .count(\.longestOutput, 1...1_000_000), "tokens at most"),
        ("cancelled", .amount(\.cancelled, 0...1), "share of the clients that go away early"),
    ]

    /// What `--trace synthetic:…` takes: name, default, meaning.
    package static var manual: [(name: String, standard: String, meaning: String)] {
        let standard = SyntheticTrace()
        return keys.map { name, place, meaning in
            switch place {
            case .count(let path, _): (name, "\(standard[keyPath: path])", meaning)
            case .amount(let path, _): (name, "\(standard[keyPath: path])", meaning)
            }
        }
    }

    /// Reads `synthetic:KEY=VALUE,KEY=VALUE…`; what is not named keeps its default.
    package init(_ text: String) throws(TraceFault) {
        self.init()
        var named: Set<String> = []
        for word in text.dropFirst(SyntheticTrace.mark.count).split(separator: ",", omittingEmptySubsequences: false) {
            if word.isEmpty { continue }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 2 else { throw SyntheticTrace.fault("expected KEY=VALUE, found \(word)") }
            guard let key = SyntheticTrace.keys.first(where: { $0.name == parts[0] }) else {
                let known = SyntheticTrace.keys.map(\.name).joined(separator: ", ")
                throw SyntheticTrace.fault("\(parts[0]) is not known; there are: \(known)")
            }
            guard named.insert(key.name).inserted else { throw SyntheticTrace.fault("\(key.name) is given twice") }
            try set(key.name, key.place, parts[1])
        }
    }

    private mutating func set(_ name: String, _ place: Place, _ text: String) throws(TraceFault) {
        switch place {
        case .count(let path, let range):
            guard let value = Int(text), range.contains(value) else {
                throw SyntheticTrace.fault(
                    "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), found \(text)")
            }
            self[keyPath: path] = value
        case .amount(let path, let range):
            guard let value = Double(text), range.contains(value) else {
                throw SyntheticTrace.fault(
                    "\(name) must be a number from \(range.lowerBound) to \(range.upperBound), found \(text)")
            }
            self[keyPath: path] = value
        }
    }

    private static func fault(_ message: String) -> TraceFault {
        TraceFault(file: "--trace synthetic", line: 0, message: message)
    }
}
