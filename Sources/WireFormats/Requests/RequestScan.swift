/// What the gateway needs to know of a JSON request body, found in one pass over its top level.
///
/// The body itself goes to the engine byte for byte. The scan refuses what it cannot delimit and what would make the
/// gateway and the engine disagree about `model`, `stream` or `priority`: a second member of that name, also when it
/// is spelled with escapes. Errors deeper down are the engine's to report. Of other repeated members the last counts,
/// as it does for the engines' parsers. A byte order mark and NUL bytes are refused; JSON white space around the
/// object is not.
package struct RequestScan: Sendable, Equatable {
    package private(set) var model = ""
    /// The bytes of the model's value, quotes included.
    package private(set) var modelValue = 0..<0
    package private(set) var stream = false
    /// `stream_options.include_usage`.
    package private(set) var includeUsage = false
    /// The smallest of `max_tokens`, `max_completion_tokens`, `max_output_tokens` present; nil: none is.
    package private(set) var maximumOutputTokens: Int?
    /// Sequences the engine will run: `n` times the number of prompts; at least 1.
    package private(set) var sequences = 1
    /// The bytes of the value of `priority`.
    package private(set) var priority: Range<Int>?
    /// `store` is true. Absent is false here, also for Responses, whose engines keep nothing unless set up to.
    package private(set) var store = false
    package private(set) var background = false
    package private(set) var serviceTier: String?
    /// Bytes of the values that make up the prompt: tools, then system or instructions, then messages, prompt or
    /// input. Raw JSON: good for a prefix hash and an estimate of tokens, not for showing.
    package private(set) var promptText: [Range<Int>] = []
    /// A quarter of the prompt's bytes, or the number of token ids, with a fixed sum for each upload; at least 1.
    package private(set) var promptTokenEstimate = 1
    /// Just after the opening brace, where a new member may be put.
    private var insertionPoint = 0
    private var byteCount = 0

    /// Scans a body in one pass. Throws with the offset of the byte that was refused.
    package static func scan(
        _ body: UnsafeRawBufferPointer, kind: RequestKind, limits: ScanLimits = ScanLimits()
    ) throws(ScanFailure) -> RequestScan {
        if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF {
            throw ScanFailure(.byteOrderMark, at: 0, "the body starts with a byte order mark; send JSON without it")
        }
        if let nul = ByteSearch.first(0, in: body, from: 0, end: body.count) {
            throw ScanFailure(.nulByte, at: nul, "the body holds a NUL byte")
        }
        var cursor = JSONCursor(body, maximumDepth: limits.maximumDepth)
        try cursor.enterObject()
        var scan = RequestScan()
        scan.insertionPoint = cursor.position
        scan.byteCount = body.count
        var seen = Seen()
        var uploadsBefore = (count: 0, bytes: 0)
        while let member = try cursor.nextMember() {
            seen.members += 1
            if seen.members > limits.maximumMembers {
                throw ScanFailure(.tooLarge, at: member.key.lowerBound, "more than \(limits.maximumMembers) members")
            }
            try scan.take(member, cursor, kind, limits, &seen)
            if seen.main == member.value {
                seen.uploads = cursor.uploads - uploadsBefore.count
                seen.uploadBytes = cursor.uploadBytes - uploadsBefore.bytes
            }
            uploadsBefore = (cursor.uploads, cursor.uploadBytes)
        }
        try cursor.finish()
        guard seen.hasModel else {
            throw ScanFailure(.missingModel, at: body.count, "the body has no member \"model\"; name the model to use")
        }
        scan.conclude(body, kind, limits, seen)
        return scan
    }

    /// The body with the bytes of `range` replaced by `text`, which must be JSON where a value stands.
    package func replacing(_ range: Range<Int>, with text: String) -> BodySplice {
        BodySplice(before: 0..<range.lowerBound, inserted: Array(text.utf8), after: range.upperBound..<byteCount)
    }

    /// The body with one more member in front of the others. `name` must be absent from the body.
    package func inserting(_ name: String, value: String) -> BodySplice {
        // A scanned body has at least the member "model", so a comma always follows.
        let text = "\"\(name)\":\(value),"
        return BodySplice(
            before: 0..<insertionPoint, inserted: Array(text.utf8), after: insertionPoint..<byteCount)
    }

    /// The body with this `priority`, in place of the client's if it has one.
    package func overwritingPriority(_ value: Int) -> BodySplice {
        guard let priority else { return inserting("priority", value: String(value)) }
        return replacing(priority, with: String(value))
    }

    /// Members already met, and values that are only weighed at the end.
    private struct Seen {
        var members = 0
        var hasModel = false
        var hasStream = false
        var choices = 1
        var tools: Range<Int>?
        var functions: Range<Int>?
        var system: Range<Int>?
        var main: Range<Int>?
        /// `data:` URLs within `main`, and their bytes.
        var uploads = 0
        var uploadBytes = 0
        /// Of other APIs: anything that names text, in body order.
        var others: [Range<Int>] = []
    }

    private mutating func take(
        _ member: JSONMember, _ cursor: JSONCursor, _ kind: RequestKind, _ limits: ScanLimits, _ seen: inout Seen
    ) throws(ScanFailure) {
        let (bytes, value) = (cursor.bytes, member.value)
        if cursor.key(member, is: "model") {
            if seen.hasModel { throw duplicate("model", member) }
            seen.hasModel = true
            modelValue = value
            model = try RequestScan.modelName(bytes, value, limits)
        } else if cursor.key(member, is: "stream") {
            if seen.hasStream { throw duplicate("stream", member) }
            seen.hasStream = true
            stream = try RequestScan.streamFlag(bytes, value)
        } else if cursor.key(member, is: "priority") {
            if priority != nil { throw duplicate("priority", member) }
            priority = value
        } else if !takePrompt(member, cursor, kind, &seen) {
            takeOption(member, cursor, &seen)
        }
    }

    private func duplicate(_ name: String, _ member: JSONMember) -> ScanFailure {
        ScanFailure(.duplicateMember, at: member.key.lowerBound - 1, "the member \"\(name)\" appears twice")
    }

    private mutating func takeOption(_ member: JSONMember, _ cursor: JSONCursor, _ seen: inout Seen) {
        let (bytes, value) = (cursor.bytes, member.value)
        if cursor.key(member, is: "max_tokens") || cursor.key(member, is: "max_completion_tokens")
            || cursor.key(member, is: "max_output_tokens")
        {
            if let limit = JSONScalar.integer(bytes, value), limit >= 0 {
                maximumOutputTokens = min(limit, maximumOutputTokens ?? limit)
            }
        } else if cursor.key(member, is: "n") {
            seen.choices = max(1, JSONScalar.integer(bytes, value) ?? 1)
        } else if cursor.key(member, is: "stream_options") {
            includeUsage = RequestScan.includeUsage(bytes, value)
        } else if cursor.key(member, is: "store") {
            store = JSONScalar.isTrue(bytes, value)
        } else if cursor.key(member, is: "background") {
            background = JSONScalar.isTrue(bytes, value)
        } else if cursor.key(member, is: "service_tier") {
            serviceTier = JSONScalar.text(bytes, value, limit: 64)
        }
    }

    /// Notes the value if its name is one of those that hold prompt text in this kind of request.
    private func takePrompt(
        _ member: JSONMember, _ cursor: JSONCursor, _ kind: RequestKind, _ seen: inout Seen
    ) -> Bool {
        if cursor.key(member, is: "tools") {
            seen.tools = member.value
        } else if cursor.key(member, is: "functions") {
            seen.functions = member.value
        } else if cursor.key(member, is: "system") || cursor.key(member, is: "instructions") {
            seen.system = member.value
        } else {
            return takeMain(member, cursor, kind, &seen)
        }
        return true
    }

    private func takeMain(
        _ member: JSONMember, _ cursor: JSONCursor, _ kind: RequestKind, _ seen: inout Seen
    ) -> Bool {
        switch kind {
        case .chat, .messages:
            guard cursor.key(member, is: "messages") else { return false }
            seen.main = member.value
        case .completions:
            guard cursor.key(member, is: "prompt") else { return false }
            seen.main = member.value
        case .responses:
            guard cursor.key(member, is: "input") else { return false }
            seen.main = member.value
        case .embeddings:
            guard cursor.key(member, is: "input") || cursor.key(member, is: "messages") else { return false }
            seen.main = member.value
        case .other:
            for name in RequestScan.otherPromptNames where cursor.key(member, is: name) {
                seen.others.append(member.value)
                return true
            }
            return false
        }
        return true
    }

    /// Rerank, score, tokenize, SGLang's `/generate` and their like.
    private static let otherPromptNames: [StaticString] = [
        "messages", "prompt", "input", "text", "query", "documents", "text_1", "text_2", "input_ids",
    ]

    /// A `data:` URL is a picture or a sound in base64: its bytes say little about the tokens a model makes of it.
    package static let tokensPerUpload = 1_000

    private mutating func conclude(
        _ body: UnsafeRawBufferPointer, _ kind: RequestKind, _ limits: ScanLimits, _ seen: Seen
    ) {
        var estimate = 0
        var prompts = 1
        promptText.reserveCapacity(4)
        for range in [seen.tools, seen.functions, seen.system] {
            guard let range else { continue }
            promptText.append(range)
            estimate += range.count / 4
        }
        if let main = seen.main {
            let size = PromptSize(body, main)
            promptText.append(main)
            estimate += size.tokens - seen.uploadBytes / 4
            estimate += min(seen.uploads * RequestScan.tokensPerUpload, seen.uploadBytes / 4)
            if kind == .completions || kind == .embeddings { prompts = max(1, size.prompts) }
        }
        for range in seen.others {
            promptText.append(range)
            estimate += PromptSize(body, range).tokens
        }
        promptTokenEstimate = max(1, estimate)
        let (product, overflow) = prompts.multipliedReportingOverflow(by: seen.choices)
        sequences = overflow ? limits.maximumSequences : min(product, limits.maximumSequences)
    }
}
