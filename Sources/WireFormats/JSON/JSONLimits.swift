/// Limits of a JSON text that is read into a tree.
package struct JSONLimits: Sendable, Equatable {
    package var maximumBytes: Int
    /// Levels of objects and arrays. At most 128.
    package var maximumDepth: Int
    /// Scalars, objects and arrays in all.
    package var maximumValues: Int
    /// Whether an object with two members of one name is refused; else the last counts.
    package var rejectsDuplicates: Bool

    package init(
        maximumBytes: Int = 1_048_576, maximumDepth: Int = 32, maximumValues: Int = 100_000,
        rejectsDuplicates: Bool = true
    ) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.maximumValues = maximumValues
        self.rejectsDuplicates = rejectsDuplicates
    }
}
