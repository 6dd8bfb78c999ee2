import EngineModel
import NIOCore

/// Answers that need only a prefill: embeddings, scores, rankings. The figures are stable functions of the tokens.
struct PoolingFormat: AnswerFormat {
    enum Kind {
        case embeddings(dimensions: Int, isBase64: Bool)
        case scores
        /// The documents' texts, and how many results are wanted.
        case ranking(documents: [String], top: Int)
    }

    let kind: Kind

    /// Numbers in an embedding where the request does not say.
    static let dimensions = 64

    func begin(_ call: EngineCall, to events: inout EventWriter) {}
    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter) {}
    func end(_ call: EngineCall, to events: inout EventWriter) {}

    func whole(_ call: EngineCall) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch kind {
        case .embeddings(let dimensions, let isBase64):
            writeList(call, &buffer) { index, buffer in
                buffer.writeString("{\"index\":\(index),\"object\":\"embedding\",\"embedding\":")
                let vector = embedding(of: call.request.prompts[index], call, dimensions: dimensions)
                if isBase64 { buffer.writeBase64(vector) } else { buffer.writeNumbers(vector) }
                buffer.writeStaticString("}")
            }
        case .scores:
            writeList(call, &buffer) { index, buffer in
                buffer.writeString("{\"index\":\(index),\"object\":\"score\",\"score\":\(score(of: index, call))}")
            }
        case .ranking(let documents, let top):
            writeRanking(call, documents: documents, top: top, &buffer)
        }
        return buffer
    }

    private func writeList(_ call: EngineCall, _ buffer: inout ByteBuffer, _ item: (Int, inout ByteBuffer) -> Void) {
        buffer.writeOpening(of: call, object: "list")
        buffer.writeStaticString(",\"data\":[")
        for index in call.request.prompts.indices {
            if index > 0 { buffer.writeStaticString(",") }
            item(index, &buffer)
        }
        buffer.writeStaticString("],\"usage\":")
        buffer.writeUsage(call.usage)
        buffer.writeStaticString("}")
    }

    private func writeRanking(_ call: EngineCall, documents: [String], top: Int, _ buffer: inout ByteBuffer) {
        let scores = documents.indices.map { score(of: $0, call) }
        let order = documents.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSON(call.id)
        buffer.writeStaticString(",\"model\":")
        buffer.writeJSON(call.request.model)
        buffer.writeStaticString(",\"usage\":")
        buffer.writeUsage(call.usage)
        buffer.writeStaticString(",\"results\":[")
        for (position, index) in order.prefix(top).enumerated() {
            buffer.writeString("\(position > 0 ? "," : ""){\"index\":\(index),\"document\":{\"text\":")
            buffer.writeJSON(documents[index])
            buffer.writeString("},\"relevance_score\":\(scores[index])}")
        }
        buffer.writeStaticString("]}")
    }

    /// Between 0 and 1.
    private func score(of prompt: Int, _ call: EngineCall) -> Double {
        let digest = PromptDigest(call.request.prompts[prompt], seed: call.request.modelSeed).chain.digest
        return Double(digest >> 40) / Double(1 << 24)
    }

    /// A vector of length 1.
    private func embedding(of prompt: [Int32], _ call: EngineCall, dimensions: Int) -> [Float] {
        var chain = PromptDigest(prompt, seed: call.request.modelSeed).chain
        var vector: [Float] = []
        for _ in 0..<dimensions {
            chain.append(Token.endOfSequence)
            vector.append(Float(chain.digest >> 40) / Float(1 << 23) - 1)
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }
}

extension ByteBuffer {
    fileprivate mutating func writeNumbers(_ numbers: [Float]) {
        writeString("[" + numbers.map { "\($0)" }.joined(separator: ",") + "]")
    }

    /// Little-endian 32-bit floats in base64, quoted: what OpenAI's client asks for.
    fileprivate mutating func writeBase64(_ numbers: [Float]) {
        let bytes = numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> ($0 * 8)) }
        }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        writeStaticString("\"")
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            var characters: [UInt8] = []
            for _ in 0..<4 {
                characters.insert(alphabet[Int(word & 63)], at: 0)
                word >>= 6
            }
            for position in 0..<3 where position >= group.count { characters[position + 1] = UInt8(ascii: "=") }
            writeBytes(characters)
        }
        writeStaticString("\"")
    }
}
