/// Why a line of a batch's input file was refused; one entry of the batch's `errors.data[]`, less the line's number.
package struct BatchLineFailure: Error, Sendable, Equatable {
    /// Raw values are the codes of OpenAI's batch errors where it has one.
    package enum Code: String, Sendable, CaseIterable {
        case invalidJSON = "invalid_json_line"
        case missingParameter = "missing_required_parameter"
        case invalidParameter = "invalid_parameter"
        /// For the caller, who knows the other lines: `duplicateCustomID(_:)`.
        case duplicateCustomID = "duplicate_custom_id"
        case invalidMethod = "invalid_method"
        case mismatchedEndpoint = "url_mismatch"
        case invalidBody = "invalid_body"
        case streamNotSupported = "stream_not_supported"
        case backgroundNotSupported = "background_not_supported"
        /// For the caller, who counts: no line that is not blank, or more than the limit.
        case emptyFile = "empty_file"
        case tooManyLines = "too_many_tasks"
    }

    package var code: Code
    package var message: String
    package var param: String?

    package init(_ code: Code, _ message: String, param: String? = nil) {
        self.code = code
        self.message = message
        self.param = param
    }

    /// For a `custom_id` that an earlier line of the file has.
    package static func duplicateCustomID(_ customID: String) -> BatchLineFailure {
        BatchLineFailure(
            .duplicateCustomID,
            "The custom_id \"\(customID)\" is used by more than one line; it must be unique within a batch.",
            param: "custom_id")
    }
}
