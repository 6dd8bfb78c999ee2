/// Why a control request's body or answer could not go on.
package enum ControlFailure: Error, Sendable, Equatable {
    /// The client closed or reset its connection.
    case clientGone
    /// The body was silent for too long.
    case bodyTimeout
    /// The body is not framed correctly.
    case badBody
    /// The body is larger than the limit for control paths.
    case bodyTooLarge
    /// The writer was used out of order: a head twice, or a piece before the head.
    case misuse
}
