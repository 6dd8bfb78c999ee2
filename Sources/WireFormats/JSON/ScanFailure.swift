/// Why a JSON text was refused: what, where (bytes from the start of the text), and in words for the client.
package struct ScanFailure: Error, Sendable, Equatable {
    /// The raw value is fit for the `code` of an error body.
    package enum Code: String, Sendable, CaseIterable {
        /// The text breaks JSON's grammar, or ends too early.
        case invalidJSON = "invalid_json"
        /// A UTF-8 byte order mark before the text. RFC 8259 §8.1 forbids it; engines disagree about it.
        case byteOrderMark = "byte_order_mark"
        /// A NUL byte anywhere in the text.
        case nulByte = "nul_byte"
        /// Bytes that must be UTF-8 are not.
        case invalidUTF8 = "invalid_utf8"
        case tooDeep = "nesting_too_deep"
        /// More bytes, members or elements than the limit of this text.
        case tooLarge = "json_too_large"
        case trailingBytes = "trailing_bytes"
        case notAnObject = "not_an_object"
        case missingModel = "missing_model"
        case invalidModel = "invalid_model"
        case modelTooLong = "model_name_too_long"
        case duplicateMember = "duplicate_member"
        case invalidStream = "invalid_stream"
        /// A required member of an engine's answer is missing or of the wrong kind.
        case missingMember = "missing_member"
    }

    package var code: Code
    package var byteOffset: Int
    package var message: String

    package init(_ code: Code, at byteOffset: Int, _ message: String) {
        self.code = code
        self.byteOffset = byteOffset
        self.message = message + " (byte \(byteOffset))"
    }
}
