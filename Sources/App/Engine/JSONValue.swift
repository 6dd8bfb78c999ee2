/// A JSON document as the simulated engine reads it. Object members keep their order; of equal names the last counts.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Equatable, Sendable {
        var name: String
        var value: JSONValue
    }

    /// The member with this name; nil where it is absent or null, or this is no object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self, let member = members.last(where: { $0.name == name }) else {
            return nil
        }
        return member.value == .null ? nil : member.value
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }

    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The kind's name as error messages use it.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
