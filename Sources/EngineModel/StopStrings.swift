/// Holds text back until it cannot be part of a stop string any more, and cuts it at the first one.
///
/// As vLLM does: a streamed answer stays behind by the longest stop string less one character until it ends; a match
/// is looked for only from `minimumTokens` on; the text ends before the stop string, or after it on request.
package struct StopStrings: Sendable {
    private let strings: [[UInt8]]
    private let includesStop: Bool
    private let minimumTokens: Int
    /// Characters that stay behind: the longest stop string less one.
    private let heldCharacters: Int
    /// The greatest byte length of a stop string.
    private let longestBytes: Int
    /// Text that was not released, preceded by nothing: a match cannot start in what was released.
    private var held: [UInt8] = []
    /// Bytes of `held` in which a match is no longer looked for (they came before `minimumTokens`).
    private var exempt = 0
    private var tokens = 0

    package init(_ strings: [String], includesStop: Bool = false, minimumTokens: Int = 0) {
        self.strings = strings.filter { !$0.isEmpty }.map { Array($0.utf8) }
        self.includesStop = includesStop
        self.minimumTokens = minimumTokens
        heldCharacters = includesStop ? 0 : (self.strings.map { $0.filter(isCharacterStart).count }.max() ?? 1) - 1
        longestBytes = self.strings.map(\.count).max() ?? 0
    }

    package var isEmpty: Bool { strings.isEmpty }

    /// Takes the text of one more token. Appends what may be shown now to `released`; returns the index of the stop
    /// string when one was reached, after which nothing more may be appended.
    package mutating func append(_ text: ArraySlice<UInt8>, released: inout [UInt8]) -> Int? {
        tokens += 1
        if strings.isEmpty {
            released.append(contentsOf: text)
            return nil
        }
        held.append(contentsOf: text)
        if tokens <= minimumTokens {
            exempt = held.count
        } else if let match = firstMatch() {
            let end = includesStop ? match.position + strings[match.index].count : match.position
            released.append(contentsOf: held[..<end])
            held.removeAll()
            return match.index
        }
        release(into: &released)
        return nil
    }

    /// The answer ended without a stop string: what was held back is text after all.
    package mutating func finish(released: inout [UInt8]) {
        released.append(contentsOf: held)
        held.removeAll()
    }

    /// The first string of the list that occurs; earlier strings win over earlier places, as in vLLM.
    private func firstMatch() -> (index: Int, position: Int)? {
        for (index, string) in strings.enumerated() where held.count >= string.count {
            var position = 0
            while position + string.count <= held.count {
                if position + string.count > exempt, held[position...].starts(with: string) { return (index, position) }
                position += 1
            }
        }
        return nil
    }

    private mutating func release(into released: inout [UInt8]) {
        var end = held.count
        var characters = 0
        // A stop string that is shown keeps its characters' bytes here only for matching across tokens.
        let limit = includesStop ? longestBytes - 1 : heldCharacters
        while characters < limit, end > 0 {
            end -= 1
            if includesStop || isCharacterStart(held[end]) { characters += 1 }
        }
        while end > 0, end < held.count, !isCharacterStart(held[end]) { end -= 1 }
        guard end > 0 else { return }
        released.append(contentsOf: held[..<end])
        held.removeFirst(end)
        exempt = max(0, exempt - end)
    }
}

@inline(__always)
private func isCharacterStart(_ byte: UInt8) -> Bool { byte & 0xc0 != 0x80 }
