package import JobLifecycle

/// What a file is for; OpenAI's words.
package enum FilePurpose: String, Sendable, CaseIterable {
    /// Input of a batch, uploaded by a client.
    case batch
    /// Output or error file of a batch, made by the gateway.
    case batchOutput = "batch_output"
}

/// A file as clients see it; its bytes are on disk and immutable.
package struct StoredFile: Sendable, Hashable {
    package var id: FileID
    package var tenant: String
    package var filename: String
    package var purpose: FilePurpose
    package var bytes: Int
    package var created: WallTime
    /// From this time on it is not found, and its bytes are removed.
    package var expires: WallTime?

    package init(
        id: FileID, tenant: String, filename: String, purpose: FilePurpose, bytes: Int, created: WallTime,
        expires: WallTime?
    ) {
        self.id = id
        self.tenant = tenant
        self.filename = filename
        self.purpose = purpose
        self.bytes = bytes
        self.created = created
        self.expires = expires
    }
}

/// What a client says about a file before its bytes come.
package struct FileDraft: Sendable {
    package var tenant: String
    package var filename: String
    package var purpose: FilePurpose
    /// Nil: the store's default for the purpose.
    package var lifetime: Duration?

    package init(tenant: String, filename: String, purpose: FilePurpose, lifetime: Duration? = nil) {
        self.tenant = tenant
        self.filename = filename
        self.purpose = purpose
        self.lifetime = lifetime
    }
}

/// A file on its way in. One caller at a time; end it with `finish` or `abandon`.
package protocol FileUploading: Sendable {
    /// Appends bytes; returns when they are handed to the file system. Fails with `tooLarge` over the store's limit.
    func write(_ piece: [UInt8]) async throws(StoreFailure)
    /// The filename may come after the first bytes (multipart parts have any order); set it before `finish`.
    func rename(_ filename: String) async
    /// The lifetime may come after the first bytes as well; set it before `finish`. Nil: the store's default.
    func expire(after lifetime: Duration?) async
    /// Makes the bytes durable, gives them their final name and commits the file. On return the client may be told.
    func finish(now: WallTime) async throws(StoreFailure) -> StoredFile
    /// Removes what was written. Does nothing after `finish`.
    func abandon() async
}

/// Open bytes of a stored file. They stay readable while this lives, also when the file is deleted meanwhile.
package protocol FileReading: Sendable {
    var file: StoredFile { get }
    /// Up to `count` bytes (at most 1 MiB) from `offset`; empty at the end.
    func read(at offset: Int, count: Int) async throws(StoreFailure) -> [UInt8]
}
