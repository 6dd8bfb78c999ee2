/// Why a line of a batch's input file was refused; one entry of the batch's `errors.data[]`, less the line's number.
package struct BatchLineFailure: Error, Sendable, Equatable {
    /// Raw values are the codes of OpenAI's batch errors where it has one.
    package enum Code: String, Sendable, CaseIterable {
        case invalidJSON = "invalid_json_line"
        case missingParameter = "missing_required_parameter"
        case invalidParameter = "invalid_parameter"
        /// For the caller, who knows the other lines.
        case duplicateCustomID = "duplicate_custom_id"
        case invalidMethod = "invalid_method"
        case mismatchedEndpoint = "mismatched_endpoint"
        case invalidBody = "invalid_body"
        case streamNotSupported = "stream_not_supported"
    }

    package var code: Code
    package var message: String
    package var param: String?

    package init(_ code: Code, _ message: String, param: String? = nil) {
        self.code = code
        self.message = message
        self.param = param
    }
}
