/// What the events of one stream said. Knows the chunks of OpenAI chat and completions, the events of OpenAI
/// Responses and Anthropic Messages, and llama.cpp's `timings`.
struct StreamFacts: EventSink, Sendable {
    var contentEvents = 0
    var events = 0
    var oversizedEvents = 0
    var isDone = false
    var errorEvent = false
    var usage: TokenUsage?
    var timings: TokenUsage?
    var finishReason: String?
    var firstEvent = FirstEventVerdict.undecided

    /// Longer finish reasons are not kept.
    static let maximumReasonBytes = 64

    mutating func oversizedEvent() {
        oversizedEvents += 1
        if firstEvent == .undecided { firstEvent = .ordinary }
    }

    mutating func event(_ data: UnsafeRawBufferPointer, isErrorNamed: Bool) {
        events += 1
        if ByteSearch.equal(data, 0..<data.count, "[DONE]") {
            isDone = true
        } else if let overload = look(data, isErrorNamed: isErrorNamed) {
            errorEvent = true
            if firstEvent == .undecided { firstEvent = .error(overload: overload) }
        }
        if firstEvent == .undecided { firstEvent = .ordinary }
    }

    /// The top-level members that matter of one event.
    private struct Members {
        var type: Range<Int>?
        var error: Range<Int>?
        var response: Range<Int>?
        var message: Range<Int>?
        var delta: Range<Int>?
        var isErrorObject = false
    }

    /// Takes what one event says. Nil: it is no error; else whether the error means overload.
    private mutating func look(_ data: UnsafeRawBufferPointer, isErrorNamed: Bool) -> Bool? {
        var members = Members()
        var cursor = JSONCursor(data)
        do {
            try cursor.enterObject()
            while let member = try cursor.nextMember() { take(member, cursor, &members) }
        } catch {
            // Not JSON to its end. What came before the fault was taken; an `event: error` is one whatever its data.
            return isErrorNamed ? AnswerError.isOverload(data, 0..<data.count) : nil
        }
        if let error = members.error { return AnswerError.isOverload(data, error) }
        if members.isErrorObject || isErrorNamed { return AnswerError.isOverload(data, 0..<data.count) }
        guard let type = members.type, let name = JSONScalar.stringInside(data, type) else { return nil }
        return takeTyped(name, members, data)
    }

    private mutating func take(_ member: JSONMember, _ cursor: JSONCursor, _ members: inout Members) {
        let (data, value) = (cursor.bytes, member.value)
        if cursor.key(member, is: "choices") {
            try? JSONCursor.forEachElement(data, value) { takeChoice(data, $0) }
        } else if cursor.key(member, is: "usage") {
            take(TokenUsage(data, value))
        } else if cursor.key(member, is: "error") {
            if AnswerError.isError(data, value) { members.error = value }
        } else if cursor.key(member, is: "object") {
            members.isErrorObject = ByteSearch.equal(data, value, "\"error\"")
        } else if cursor.key(member, is: "type") {
            members.type = value
        } else if cursor.key(member, is: "response") {
            members.response = value
        } else if cursor.key(member, is: "message") {
            members.message = value
        } else if cursor.key(member, is: "delta") {
            members.delta = value
        } else if cursor.key(member, is: "timings") {
            timings = TokenUsage(timings: data, value) ?? timings
        }
    }

    private mutating func takeChoice(_ data: UnsafeRawBufferPointer, _ choice: Range<Int>) {
        var hasOutput = false
        try? JSONCursor.forEachMember(data, choice) { cursor, member in
            if cursor.key(member, is: "delta") {
                hasOutput = StreamFacts.hasOutput(data, member.value) || hasOutput
            } else if cursor.key(member, is: "text") || cursor.key(member, is: "token_ids") {
                hasOutput = StreamFacts.isFilled(data, member.value) || hasOutput
            } else if cursor.key(member, is: "finish_reason") {
                takeReason(data, member.value)
            }
        }
        if hasOutput { contentEvents += 1 }
    }

    /// Events that name themselves by `type`: Anthropic Messages and OpenAI Responses.
    private mutating func takeTyped(
        _ name: Range<Int>, _ members: Members, _ data: UnsafeRawBufferPointer
    ) -> Bool? {
        if ByteSearch.hasPrefix(data, name, "response.") {
            return takeResponsesEvent(name, members, data)
        } else if ByteSearch.equal(data, name, "content_block_delta") {
            contentEvents += 1
        } else if ByteSearch.equal(data, name, "message_start"), let message = members.message {
            try? JSONCursor.forEachMember(data, message) { cursor, member in
                if cursor.key(member, is: "usage") { take(TokenUsage(data, member.value)) }
            }
        } else if ByteSearch.equal(data, name, "message_delta"), let delta = members.delta {
            try? JSONCursor.forEachMember(data, delta) { cursor, member in
                if cursor.key(member, is: "stop_reason") { takeReason(data, member.value) }
            }
        } else if ByteSearch.equal(data, name, "message_stop") {
            isDone = true
        } else if ByteSearch.equal(data, name, "error") {
            return AnswerError.isOverload(data, 0..<data.count)
        }
        return nil
    }

    private mutating func takeResponsesEvent(
        _ name: Range<Int>, _ members: Members, _ data: UnsafeRawBufferPointer
    ) -> Bool? {
        if ByteSearch.hasSuffix(data, name, ".delta") {
            contentEvents += 1
            return nil
        }
        let isFailed = ByteSearch.equal(data, name, "response.failed")
        guard
            isFailed || ByteSearch.equal(data, name, "response.completed")
                || ByteSearch.equal(data, name, "response.incomplete")
        else { return nil }
        isDone = true
        if let response = members.response {
            try? JSONCursor.forEachMember(data, response) { cursor, member in
                if cursor.key(member, is: "usage") {
                    take(TokenUsage(data, member.value))
                } else if cursor.key(member, is: "status") {
                    takeReason(data, member.value)
                }
            }
        }
        return isFailed ? AnswerError.isOverload(data, 0..<data.count) : nil
    }

    private mutating func take(_ report: TokenUsage?) {
        guard let report else { return }
        if usage == nil { usage = report } else { usage?.merge(report) }
    }

    private mutating func takeReason(_ data: UnsafeRawBufferPointer, _ value: Range<Int>) {
        if let reason = JSONScalar.text(data, value, limit: StreamFacts.maximumReasonBytes) { finishReason = reason }
    }

    private static func hasOutput(_ data: UnsafeRawBufferPointer, _ delta: Range<Int>) -> Bool {
        var found = false
        try? JSONCursor.forEachMember(data, delta) { cursor, member in
            guard !found, !cursor.key(member, is: "role") else { return }
            found =
                (cursor.key(member, is: "content") || cursor.key(member, is: "reasoning_content")
                    || cursor.key(member, is: "reasoning") || cursor.key(member, is: "tool_calls")
                    || cursor.key(member, is: "function_call") || cursor.key(member, is: "refusal"))
                && isFilled(data, member.value)
        }
        return found
    }

    /// Not null, `""`, `[]` or `{}`.
    private static func isFilled(_ data: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        value.count > 2 && !JSONScalar.isNull(data, value)
    }
}
