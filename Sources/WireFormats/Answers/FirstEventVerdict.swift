/// What the first event of a stream says, so that response headers can be held back until it is known.
package enum FirstEventVerdict: Sendable, Equatable {
    /// No whole event yet. Comments do not count.
    case undecided
    case ordinary
    /// The engine refused the request after its 200. `overload`: it is full (the request may go elsewhere).
    case error(overload: Bool)
}
