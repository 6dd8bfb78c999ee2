import EngineModel

/// The simulated model's chat template: a mark for the role, the text, a mark for the turn's end.
///
/// It trims each message as Llama 3.1's does, which is one reason why an answer cannot be continued from its text.
struct ChatTemplate {
    let tokenizer: Tokenizer

    /// The tokens of a conversation. `continuesFinalMessage` leaves the last turn open.
    func tokens(
        _ messages: [JSONValue], opensAnswer: Bool = true, continuesFinalMessage: Bool = false
    ) throws(EngineRefusal) -> [Int32] {
        var tokens = [Token.beginning]
        for (index, message) in messages.enumerated() {
            let content = try text(of: message)
            tokens.append(try mark(of: message))
            tokenizer.encode(trimmed(content), into: &tokens)
            if continuesFinalMessage, index == messages.count - 1 { return tokens }
            tokens.append(Token.endOfTurn)
        }
        if opensAnswer { tokens.append(Token.assistant) }
        return tokens
    }

    static func message(role: String, text: String) -> JSONValue {
        .object([.init(name: "role", value: .string(role)), .init(name: "content", value: .string(text))])
    }

    private func mark(of message: JSONValue) throws(EngineRefusal) -> Int32 {
        switch message["role"]?.text {
        case "system", "developer": return Token.system
        case "user": return Token.user
        case "assistant": return Token.assistant
        case "tool", "function": return Token.tool
        case let role?: throw .badRequest("Unknown role '\(role)' in messages.", parameter: "messages")
        // Items of the Responses API that are no messages, such as the output of a tool.
        case nil where message["type"]?.text != nil: return Token.tool
        case nil: throw .badRequest("Every message needs a role.", parameter: "messages")
        }
    }

    /// A text, or the texts of its parts.
    private func text(of message: JSONValue) throws(EngineRefusal) -> String {
        switch message["content"] ?? message["output"] {
        case nil: return ""
        case .string(let text): return text
        case .array(let parts):
            var texts: [String] = []
            for part in parts {
                switch part["type"]?.text {
                case "text", "input_text", "output_text": texts.append(part["text"]?.text ?? "")
                case let type?: throw .badRequest("This model takes no '\(type)' parts.", parameter: "messages")
                case nil: throw .badRequest("Every part of a message needs a type.", parameter: "messages")
                }
            }
            return texts.joined(separator: "\n")
        case let value?:
            throw .badRequest(
                "A message's content must be a string or a list, found \(value.kind).", parameter: "messages")
        }
    }

    private func trimmed(_ text: String) -> Substring {
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return text[first...last]
    }
}
