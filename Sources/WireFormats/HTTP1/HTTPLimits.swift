/// Limits of what one HTTP/1.1 message may hold besides its body. Every one has its own refusal.
package struct HTTPLimits: Sendable, Equatable {
    /// The request target (URL), bytes. Beyond: `targetTooLong` (414).
    package var targetBytes: Int
    /// One field line without its CRLF, bytes. Beyond: `fieldLineTooLong` (431).
    package var fieldLineBytes: Int
    /// Field lines in one head. Beyond: `tooManyFields` (431).
    package var fieldCount: Int
    /// Header names listed in `Connection`, all lines together. Beyond: `tooManyConnectionOptions` (431).
    package var connectionOptions: Int
    /// The whole head with its empty line, bytes. Beyond: `headTooLarge` (431).
    package var headBytes: Int
    /// Chunk extensions of one chunk, bytes. Beyond: `badChunk` (400).
    package var chunkExtensionBytes: Int
    /// All trailer fields after a chunked body, bytes. Beyond: `trailersTooLarge` (431).
    package var trailerBytes: Int

    package init(
        targetBytes: Int = 8192, fieldLineBytes: Int = 16_384, fieldCount: Int = 100, headBytes: Int = 32_768,
        chunkExtensionBytes: Int = 256, trailerBytes: Int = 4096, connectionOptions: Int = 16
    ) {
        self.targetBytes = targetBytes
        self.fieldLineBytes = fieldLineBytes
        self.fieldCount = fieldCount
        self.connectionOptions = connectionOptions
        self.headBytes = headBytes
        self.chunkExtensionBytes = chunkExtensionBytes
        self.trailerBytes = trailerBytes
    }
}
