/// The head of one part of a `multipart/form-data` body.
package struct MultipartPart: Sendable, Equatable {
    /// The field's name.
    package var name: String
    /// Present (perhaps empty) when the part is a file.
    package var filename: String?
    package var contentType: String?

    package init(name: String, filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }

    /// Reads the header lines of a part (without the empty line that ends them).
    package init(headerLines: ArraySlice<UInt8>, limits: MultipartLimits) throws(MultipartError) {
        var name: String?
        var count = 0
        self.init(name: "")
        for line in headerLines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard line.last == UInt8(ascii: "\r") else { throw .badPartHeader("a line does not end in CR LF") }
            let text = line.dropLast()
            if text.isEmpty { continue }
            count += 1
            if count > limits.headersPerPart { throw .tooManyPartHeaders(limit: limits.headersPerPart) }
            guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex,
                let field = String(validating: text[..<colon], as: UTF8.self),
                let value = String(validating: text[text.index(after: colon)...], as: UTF8.self)
            else { throw .badPartHeader("a line is not `Name: value` in UTF-8") }
            switch field.lowercased() {
            case "content-disposition":
                if name != nil { throw .badPartHeader("Content-Disposition is repeated") }
                name = try readDisposition(value)
            case "content-type":
                contentType = HeaderParameters(value)?.value
            case "content-transfer-encoding":
                let encoding = HeaderParameters(value)?.value.lowercased() ?? ""
                guard ["7bit", "8bit", "binary"].contains(encoding) else {
                    throw .badPartHeader("Content-Transfer-Encoding may be 7bit, 8bit or binary")
                }
            default: break
            }
        }
        guard let name else { throw .badPartHeader("Content-Disposition is missing") }
        self.name = name
    }

    /// Sets `filename` and returns the field's name.
    private mutating func readDisposition(_ value: String) throws(MultipartError) -> String {
        guard let parameters = HeaderParameters(value), parameters.value.lowercased() == "form-data" else {
            throw .badPartHeader("Content-Disposition is not readable as form-data with parameters")
        }
        guard let name = parameters["name"], !name.isEmpty else {
            throw .badPartHeader("Content-Disposition names no field")
        }
        filename = parameters["filename"]
        return name
    }
}

/// Limits of one `multipart/form-data` body. The bytes of parts are the reader's to bound: they are never held here.
package struct MultipartLimits: Sendable, Equatable {
    /// Bytes before the first delimiter, which RFC 2046 lets a sender put there.
    package var preambleBytes = 4_096
    /// Bytes after the last delimiter.
    package var epilogueBytes = 4_096
    /// Bytes of all header lines of one part.
    package var partHeaderBytes = 8_192
    package var headersPerPart = 16
    package var parts = 32

    package init() {}
}

/// Why a `multipart/form-data` body was refused.
package enum MultipartError: Error, Equatable, Sendable {
    case preambleTooLong(limit: Int)
    case epilogueTooLong(limit: Int)
    case partHeadersTooLong(limit: Int)
    case tooManyPartHeaders(limit: Int)
    case tooManyParts(limit: Int)
    case badPartHeader(String)
    /// Something other than CR LF or `--` follows a delimiter.
    case badDelimiter
    /// The body ended before its closing delimiter.
    case truncated

    /// One sentence for the client: what and how to mend it.
    package var message: String {
        switch self {
        case .preambleTooLong(let limit):
            "The form has more than \(limit) bytes before its first delimiter: is the boundary right?"
        case .epilogueTooLong(let limit): "The form has more than \(limit) bytes after its closing delimiter."
        case .partHeadersTooLong(let limit): "The headers of a form part are longer than \(limit) bytes."
        case .tooManyPartHeaders(let limit): "A form part has more than \(limit) headers."
        case .tooManyParts(let limit): "The form has more than \(limit) parts."
        case .badPartHeader(let what): "A form part's headers cannot be read: \(what)."
        case .badDelimiter: "A form delimiter is followed by something other than CR LF or `--`."
        case .truncated: "The form ends before its closing delimiter `--boundary--`."
        }
    }
}
