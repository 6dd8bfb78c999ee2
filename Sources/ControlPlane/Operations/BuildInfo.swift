/// What `/version` tells.
package struct BuildInfo: Sendable {
    package var version: String
    /// The commit it was built from; nil where the build did not know.
    package var commit: String?

    package init(version: String, commit: String? = nil) {
        self.version = version
        self.commit = commit
    }
}
