import SchedulerRuntime

/// Which paths lead to engines. Everything else is the control plane's.
enum EnginePaths {
    static func contains(_ path: String, _ directory: Directory) -> Bool {
        for pool in directory.pools where pool.allowedPaths.contains(path) { return true }
        // A path that engines have but no pool here allows is answered 404 by name, not by the control plane.
        switch path {
        case "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages": return true
        default: return false
        }
    }
}
