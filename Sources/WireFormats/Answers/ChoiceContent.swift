/// The most that a choice of a streamed chunk says.
enum ChoiceContent {
    case nothing
    /// Who speaks.
    case role
    /// Something of no known form.
    case unknown
    case output

    /// Reads the object at the cursor, a `delta`.
    mutating func takeDelta(_ cursor: inout JSONCursor) throws(ScanFailure) {
        try cursor.enterObject()
        while let name = try cursor.nextName() {
            let value = try cursor.value()
            if self == .output || !ChoiceContent.isFilled(cursor.bytes, value) { continue }
            if cursor.name(name, is: "content") || cursor.name(name, is: "reasoning_content")
                || cursor.name(name, is: "reasoning") || cursor.name(name, is: "tool_calls")
                || cursor.name(name, is: "function_call") || cursor.name(name, is: "refusal")
            {
                self = .output
            } else if !cursor.name(name, is: "role") {
                self = .unknown
            } else if self == .nothing {
                self = .role
            }
        }
    }

    /// Not null, `""`, `[]` or `{}`.
    static func isFilled(_ data: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        value.count > 2 && !JSONScalar.isNull(data, value)
    }
}
