/// The one place that knows which version this is.
enum Version {
    /// Semantic version of the binary, shown by `neap --version`.
    static let text = "0.1.0"
}
