/// How a connection ended before a whole response head came over it.
enum ConnectionLoss {
    /// It was never made, or was gone before anything of the request was sent.
    case noConnection
    /// Closed or reset before any response byte.
    case reset
    /// The same on a connection that had been idle, and soon: most likely the engine's keep-alive limit.
    case staleReuse
    /// After some response bytes: an interim answer, or a part of the head.
    case insideHead
}
