/// The boundary of a `multipart/form-data` body, read from its `Content-Type` header (RFC 2046 §5.1.1, RFC 7578).
package struct MultipartBoundary: Sendable, Equatable {
    /// 1 to 70 bytes of the boundary alphabet; never holds CR or LF, which the delimiter search relies on.
    package let bytes: [UInt8]

    /// The longest boundary RFC 2046 allows.
    package static let maximumBytes = 70

    /// Nil when the text breaks RFC 2046: empty, over 70 bytes, outside the alphabet, or ending in a space.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= MultipartBoundary.maximumBytes, bytes.last != UInt8(ascii: " "),
            bytes.allSatisfy(MultipartBoundary.isAllowed)
        else { return nil }
        self.bytes = bytes
    }

    /// Reads the header's value. Nil when it is not `multipart/form-data` or names no usable boundary.
    package init?(contentType: String) {
        guard let parameters = HeaderParameters(contentType), parameters.value.lowercased() == "multipart/form-data",
            let boundary = parameters["boundary"]
        else { return nil }
        self.init(boundary)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: alphabet.contains(byte)
        }
    }

    private static let alphabet = Array("'()+_,-./:=? ".utf8)
}
