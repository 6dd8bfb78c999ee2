package import FleetTracking
import WireFormats

/// One JSON line for each request, in the form that `neap simulate` reads: when it came, how long its prompt and answer
/// were, and which prompt prefixes it shares with others, as salted hashes. Never text.
package struct TraceLog: RecordSink {
    private let lines: LineLog
    private let start: Instant
    private let salt: UInt64

    /// Arrivals are counted from `start`. `salt` keeps hashes of two logs from being compared with each other.
    package init(lines: LineLog, start: Instant, salt: UInt64 = .random(in: .min ... .max)) {
        self.lines = lines
        self.start = start
        self.salt = salt
    }

    package func record(_ record: RequestRecord, loop: Int) {
        guard record.pool != nil, let promptTokens = record.promptTokens else { return }
        lines.append(loop: loop) { bytes, _ in
            bytes.append("{\"arrival_ms\":")
            bytes.append(milliseconds: (record.arrivedAt - start).wholeNanoseconds)
            bytes.append(",\"model\":")
            bytes.append(quoted: record.model)
            bytes.append(",\"band\":")
            bytes.append(quoted: record.band.label)
            bytes.append(",\"prompt_tokens\":")
            bytes.append(decimal: promptTokens)
            bytes.append(",\"output_tokens\":")
            bytes.append(decimal: record.outputTokens ?? 0)
            if let first = record.firstByteAt {
                bytes.append(",\"ttft_ms\":")
                bytes.append(milliseconds: (first - record.arrivedAt).wholeNanoseconds)
            }
            bytes.append(",\"blocks\":[")
            for (index, block) in record.prefix.prefix(PrefixBlock.maximumBlocks).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append("[\"")
                bytes.append(hexadecimal: salted(block.hash))
                bytes.append("\",")
                bytes.append(decimal: block.endByte)
                bytes.append(UInt8(ascii: "]"))
            }
            bytes.append("]}")
        }
    }

    /// The finaliser of SplitMix64 over hash and salt: equal blocks stay equal, the process's own hashes do not show.
    private func salted(_ hash: UInt64) -> UInt64 {
        var value = (hash ^ salt) &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
