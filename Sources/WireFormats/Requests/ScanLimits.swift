/// Limits of `RequestScan`. The size of the body is limited before, where it is read.
package struct ScanLimits: Sendable, Equatable {
    /// Levels of objects and arrays, the body's own object included. At it: `nesting_too_deep`. At most 128.
    package var maximumDepth: Int
    /// UTF-8 bytes of the decoded `model`. At it: `model_name_too_long`.
    package var maximumModelBytes: Int
    /// Members of the body's own object. At it: `json_too_large`.
    package var maximumMembers: Int
    /// `sequences` is clamped to this; an engine refuses such a number itself.
    package var maximumSequences: Int

    package init(
        maximumDepth: Int = 128, maximumModelBytes: Int = 256, maximumMembers: Int = 1_000,
        maximumSequences: Int = 1_000_000
    ) {
        self.maximumDepth = maximumDepth
        self.maximumModelBytes = maximumModelBytes
        self.maximumMembers = maximumMembers
        self.maximumSequences = maximumSequences
    }
}
