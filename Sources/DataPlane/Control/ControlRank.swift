/// How far a control request may reach into the places that are kept free: a slow upload must never hide the gateway
/// from those who ask whether it lives, and a slow reader of the metrics must not either.
enum ControlRank: Int {
    case ordinary
    case metrics
    case probe

    /// A request with a body can be as slow as an upload, whatever its path is.
    init(path: String, hasBody: Bool) {
        switch path {
        case _ where hasBody: self = .ordinary
        case "/livez", "/readyz": self = .probe
        case "/metrics": self = .metrics
        default: self = .ordinary
        }
    }
}
