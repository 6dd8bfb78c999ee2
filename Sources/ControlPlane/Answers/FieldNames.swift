import HTTPTypes

extension HTTPField.Name {
    /// A name spelled in this room's source; a wrong spelling is a programmer's error.
    static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
        return field
    }

    static let idempotencyKey = known("idempotency-key")
}
