/// A JSON text as a tree, for the few small texts that are read as a whole (bodies of the control API, metadata).
/// Numbers stay text, so nothing is lost of big integers; objects keep their order.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As spelled in the text.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member of this name; nil when there is none or this is no object.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// Whole numbers that fit only; `1.0` and `1e3` count as whole.
    package var int: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text) ?? Double(text).flatMap(Int.init(exactly:))
    }

    package var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    package var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var isNull: Bool { self == .null }

    /// Parses a whole text strictly by RFC 8259, within limits.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
    ) throws(ScanFailure) -> JSONValue {
        guard bytes.count <= limits.maximumBytes else {
            throw ScanFailure(.tooLarge, at: limits.maximumBytes, "longer than \(limits.maximumBytes) bytes")
        }
        // The grammar is checked first; after that, building cannot meet a fault of form.
        try JSONSyntax.check(bytes, maximumDepth: limits.maximumDepth)
        var builder = Builder(limits: limits)
        var cursor = JSONCursor(bytes, maximumDepth: limits.maximumDepth)
        return try builder.build(&cursor)
    }

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(ScanFailure) -> JSONValue {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ScanFailure) in try parse(buffer, limits: limits) }
        }
        return try result.get()
    }

    private struct Builder {
        let limits: JSONLimits
        var values = 0

        init(limits: JSONLimits) { self.limits = limits }

        /// The value at the cursor, which goes past it. Recursion is bounded by the depth limit, which was checked.
        mutating func build(_ cursor: inout JSONCursor) throws(ScanFailure) -> JSONValue {
            values += 1
            guard values <= limits.maximumValues else {
                throw ScanFailure(.tooLarge, at: cursor.position, "more than \(limits.maximumValues) values")
            }
            switch cursor.peek() ?? 0 {
            case UInt8(ascii: "{"): return try object(&cursor)
            case UInt8(ascii: "["): return try array(&cursor)
            case UInt8(ascii: "\""): return .string(try JSONString.string(cursor.bytes, try cursor.string()))
            case let byte:
                let scalar = try cursor.value()
                if byte == UInt8(ascii: "t") { return .bool(true) }
                if byte == UInt8(ascii: "f") { return .bool(false) }
                if byte == UInt8(ascii: "n") { return .null }
                return .number(String(decoding: UnsafeRawBufferPointer(rebasing: cursor.bytes[scalar]), as: UTF8.self))
            }
        }

        private mutating func object(_ cursor: inout JSONCursor) throws(ScanFailure) -> JSONValue {
            var members: [Member] = []
            var names: Set<String> = []
            try cursor.enterObject()
            while let key = try cursor.nextName() {
                let name = try JSONString.string(cursor.bytes, key.range)
                if limits.rejectsDuplicates, !names.insert(name).inserted {
                    throw ScanFailure(.duplicateMember, at: key.range.lowerBound - 1, "a member appears twice")
                }
                members.append(Member(name, try build(&cursor)))
            }
            return .object(members)
        }

        private mutating func array(_ cursor: inout JSONCursor) throws(ScanFailure) -> JSONValue {
            var elements: [JSONValue] = []
            try cursor.enterArray()
            while try cursor.hasNextElement() { elements.append(try build(&cursor)) }
            return .array(elements)
        }
    }
}
