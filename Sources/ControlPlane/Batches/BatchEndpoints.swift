import SchedulerRuntime

/// The engine paths that a batch may name.
enum BatchEndpoints {
    /// OpenAI's own, allowed also while no pool is known.
    static let standard = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]

    /// What is standard and what any pool serves, sorted.
    static func allowed(_ directory: Directory) -> [String] {
        directory.pools.reduce(into: Set(standard)) { $0.formUnion($1.allowedPaths) }.sorted()
    }
}
