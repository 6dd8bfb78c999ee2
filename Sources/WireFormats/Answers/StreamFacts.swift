/// What the events of one stream said. Knows the chunks of OpenAI chat and completions, the events of OpenAI
/// Responses and Anthropic Messages, and llama.cpp's `timings`.
struct StreamFacts: EventSink, Sendable {
    var contentEvents = 0
    var events = 0
    /// Of these, such as are known to say nothing.
    var silentEvents = 0
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
        /// `choices` say the roles of those who will speak, and nothing else.
        var saysRoles = false
    }

    /// Takes what one event says. Nil: it is no error; else whether the error means overload.
    private mutating func look(_ data: UnsafeRawBufferPointer, isErrorNamed: Bool) -> Bool? {
        var members = Members()
        var cursor = JSONCursor(data)
        do {
            try cursor.enterObject()
            while let name = try cursor.nextName() {
                if cursor.name(name, is: "choices") {
                    members.saysRoles = try takeChoices(&cursor)
                } else {
                    take(name, try cursor.value(), cursor, &members)
                }
            }
        } catch {
            // Not JSON to its end. What came before the fault was taken; an `event: error` is one whatever its data.
            return isErrorNamed ? AnswerError.isOverload(data, 0..<data.count) : nil
        }
        if let error = members.error { return AnswerError.isOverload(data, error) }
        if members.isErrorObject || isErrorNamed { return AnswerError.isOverload(data, 0..<data.count) }
        if members.saysRoles { silentEvents += 1 }
        guard let type = members.type, let name = JSONScalar.stringInside(data, type) else { return nil }
        return takeTyped(name, members, data)
    }

    private mutating func take(_ name: JSONName, _ value: Range<Int>, _ cursor: JSONCursor, _ members: inout Members) {
        let data = cursor.bytes
        if cursor.name(name, is: "object") {
            members.isErrorObject = ByteSearch.equal(data, value, "\"error\"")
        } else if cursor.name(name, is: "usage") {
            if !JSONScalar.isNull(data, value) { take(TokenUsage(data, value)) }
        } else if cursor.name(name, is: "error") {
            if AnswerError.isError(data, value) { members.error = value }
        } else if cursor.name(name, is: "type") {
            members.type = value
        } else if cursor.name(name, is: "response") {
            members.response = value
        } else if cursor.name(name, is: "message") {
            members.message = value
        } else if cursor.name(name, is: "delta") {
            members.delta = value
        } else if cursor.name(name, is: "timings") {
            timings = TokenUsage(timings: data, value) ?? timings
        }
    }

    /// True: they hold roles and nothing else.
    private mutating func takeChoices(_ cursor: inout JSONCursor) throws(ScanFailure) -> Bool {
        guard cursor.peek() == UInt8(ascii: "[") else {
            _ = try cursor.value()
            return false
        }
        var (count, roles) = (0, 0)
        try cursor.enterArray()
        while try cursor.hasNextElement() {
            count += 1
            if cursor.peek() == UInt8(ascii: "{") {
                if try takeChoice(&cursor) { roles += 1 }
            } else {
                _ = try cursor.value()
            }
        }
        return count > 0 && roles == count
    }

    /// True: it holds a role and nothing else.
    private mutating func takeChoice(_ cursor: inout JSONCursor) throws(ScanFailure) -> Bool {
        let data = cursor.bytes
        var (content, isEnd) = (ChoiceContent.nothing, false)
        try cursor.enterObject()
        while let name = try cursor.nextName() {
            if cursor.name(name, is: "delta"), cursor.peek() == UInt8(ascii: "{") {
                try content.takeDelta(&cursor)
                continue
            }
            let value = try cursor.value()
            if cursor.name(name, is: "finish_reason") {
                isEnd = !JSONScalar.isNull(data, value)
                if isEnd { takeReason(data, value) }
            } else if cursor.name(name, is: "text") || cursor.name(name, is: "token_ids") {
                if ChoiceContent.isFilled(data, value) { content = .output }
            }
        }
        if content == .output { contentEvents += 1 }
        return content == .role && !isEnd
    }

    /// Events that name themselves by `type`: Anthropic Messages and OpenAI Responses.
    private mutating func takeTyped(
        _ name: Range<Int>, _ members: Members, _ data: UnsafeRawBufferPointer
    ) -> Bool? {
        if ByteSearch.hasPrefix(data, name, "response.") {
            return takeResponsesEvent(name, members, data)
        } else if ByteSearch.equal(data, name, "content_block_delta") {
            contentEvents += 1
        } else if ByteSearch.equal(data, name, "ping") {
            silentEvents += 1
        } else if ByteSearch.equal(data, name, "message_start"), let message = members.message {
            silentEvents += 1
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
        if ByteSearch.equal(data, name, "response.created") || ByteSearch.equal(data, name, "response.in_progress") {
            silentEvents += 1
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
}
