package import JobLifecycle

/// One page of a list.
package struct Page<Element: Sendable>: Sendable {
    package var items: [Element]
    /// More items follow the last one.
    package var hasMore: Bool

    package init(items: [Element], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }
}

package enum ListOrder: String, Sendable {
    case oldestFirst = "asc"
    case newestFirst = "desc"
}

/// Which of a tenant's files to list.
package struct FileQuery: Sendable {
    package var tenant: String
    /// The last item of the page before; an unknown one is `notFound`.
    package var after: FileID?
    /// 1…10,000.
    package var limit: Int
    package var order: ListOrder
    package var purpose: FilePurpose?

    package init(
        tenant: String, after: FileID? = nil, limit: Int = 10_000, order: ListOrder = .newestFirst,
        purpose: FilePurpose? = nil
    ) {
        self.tenant = tenant
        self.after = after
        self.limit = limit
        self.order = order
        self.purpose = purpose
    }
}

/// Which of a tenant's batches to list, newest first.
package struct BatchQuery: Sendable {
    package var tenant: String
    /// The last item of the page before; an unknown one is `notFound`.
    package var after: BatchID?
    /// 1…100.
    package var limit: Int

    package init(tenant: String, after: BatchID? = nil, limit: Int = 20) {
        self.tenant = tenant
        self.after = after
        self.limit = limit
    }
}

/// What a client asks for when it creates a batch. Checked by the door: endpoint, window, metadata, lifetimes.
package struct BatchDraft: Sendable {
    package var tenant: String
    package var endpoint: String
    package var inputFile: FileID
    /// As written by the client, and as time.
    package var completionWindow: String
    package var window: Duration
    package var metadata: [MetadataEntry]
    package var outputLifetime: Duration?
    /// The same key from the same tenant returns the batch it made before, unchanged.
    package var idempotencyKey: String?

    package init(
        tenant: String, endpoint: String, inputFile: FileID, completionWindow: String = "24h",
        window: Duration = .seconds(86_400), metadata: [MetadataEntry] = [], outputLifetime: Duration? = nil,
        idempotencyKey: String? = nil
    ) {
        self.tenant = tenant
        self.endpoint = endpoint
        self.inputFile = inputFile
        self.completionWindow = completionWindow
        self.window = window
        self.metadata = metadata
        self.outputLifetime = outputLifetime
        self.idempotencyKey = idempotencyKey
    }
}
