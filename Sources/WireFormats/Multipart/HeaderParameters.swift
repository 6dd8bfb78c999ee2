/// A header value with parameters, such as `form-data; name="file"; filename="a.jsonl"`.
///
/// Quoted strings keep every byte but the backslash of an escape. Parameter names are matched without regard to
/// case; a repeated name makes the whole value unreadable, since two readers could choose differently.
package struct HeaderParameters: Sendable, Equatable {
    /// What stands before the first `;`, trimmed.
    package private(set) var value: String
    private var parameters: [(name: String, value: String)] = []

    /// The most parameters one header may carry.
    package static let maximumParameters = 16

    package static func == (left: HeaderParameters, right: HeaderParameters) -> Bool {
        left.value == right.value && left.parameters.elementsEqual(right.parameters, by: ==)
    }

    /// The parameter's value, unquoted; nil when it is absent.
    package subscript(_ name: String) -> String? {
        parameters.first { $0.name == name.lowercased() }?.value
    }

    /// Nil when the text cannot be read: unclosed quote, no `=`, a repeated name, or too many parameters.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let value = HeaderParameters.token(&rest, until: [UInt8(ascii: ";")]) else { return nil }
        self.value = value
        while rest.popFirst() != nil {
            HeaderParameters.skipBlanks(&rest)
            if rest.isEmpty { break }
            guard parameters.count < HeaderParameters.maximumParameters, let parameter = HeaderParameters.read(&rest),
                self[parameter.name] == nil
            else { return nil }
            parameters.append(parameter)
        }
    }

    /// Reads `name=value` or `name="value"` up to the next `;` or the end.
    private static func read(_ rest: inout ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let name = token(&rest, until: [UInt8(ascii: "="), UInt8(ascii: ";")]), !name.isEmpty,
            rest.popFirst() == UInt8(ascii: "=")
        else { return nil }
        skipBlanks(&rest)
        let value: String?
        if rest.first == UInt8(ascii: "\"") {
            rest.removeFirst()
            value = quoted(&rest)
        } else {
            value = token(&rest, until: [UInt8(ascii: ";")])
        }
        guard let value else { return nil }
        skipBlanks(&rest)
        guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
        return (name.lowercased(), value)
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), let next = rest.first,
                next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
            {
                bytes.append(next)
                rest.removeFirst()
            } else {
                bytes.append(byte)
            }
        }
        return nil
    }

    private static func token(_ rest: inout ArraySlice<UInt8>, until stops: [UInt8]) -> String? {
        skipBlanks(&rest)
        var bytes = rest.prefix { !stops.contains($0) }
        rest = rest[bytes.endIndex...]
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
