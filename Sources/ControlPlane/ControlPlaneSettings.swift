/// Limits of the control routes. Every figure is a default that configuration may change.
package struct ControlPlaneSettings: Sendable {
    /// Bytes of a JSON body (creating a batch, admin calls). Over it: 413.
    package var jsonBytes = 1 << 20
    /// Bytes of one uploaded file: 200 MB, OpenAI's limit for batch input. Over it: 413.
    package var fileBytes = 209_715_200
    /// Bytes that an upload's form may add to its file.
    package var formOverheadBytes = 1 << 20
    /// Bytes of one form field that is no file (`purpose`, `expires_after[seconds]`). Over it: 400.
    package var formFieldBytes = 4_096
    /// Uploads at once, all tenants. Over it: 429.
    package var uploads = 64
    /// Bytes read from a stored file at once while it is sent.
    package var downloadPieceBytes = 256 * 1_024
    /// Files on one page of a list, at most; OpenAI's limit and default.
    package var filesPerPage = 10_000
    /// Batches on one page of a list, at most; OpenAI's limit.
    package var batchesPerPage = 100
    package var batchesPerPageDefault = 20
    /// Pairs of a batch's metadata, characters of their keys and values; OpenAI's limits.
    package var metadataPairs = 16
    package var metadataKeyCharacters = 64
    package var metadataValueCharacters = 512
    /// The longest completion window: a week.
    package var completionWindow = Duration.seconds(7 * 86_400)
    /// Lifetimes that a client may ask for: an hour to 30 days, as with OpenAI.
    package var shortestLifetimeSeconds = 3_600
    package var longestLifetimeSeconds = 2_592_000
    /// Viewers of `/admin/live` at once. Over it: 429.
    package var viewers = 32
    /// Time between two events of `/admin/live`.
    package var liveInterval = Duration.seconds(1)

    package init() {}
}
