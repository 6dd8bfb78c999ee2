/// How a connection ended before a whole response head came over it.
enum ConnectionLoss {
    /// It was never made, or was gone before anything of the request was sent.
    case noConnection
    /// Closed or reset before any byte of the answer; interim answers (1xx) may have come.
    case reset
    /// Before anything came, on a connection that had been idle, and soon: most likely the engine's keep-alive limit.
    case staleReuse
    /// After a part of the answer's head.
    case insideHead
}
