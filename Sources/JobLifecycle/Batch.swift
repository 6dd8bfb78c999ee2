/// Many jobs from one input file, under one window. Mirrors OpenAI's batch object; doors with other words encode
/// the same value.
package struct Batch: Sendable, Hashable {
    package var id: BatchID
    /// The store's serial: the order of creation, and the upper part of its jobs' ids.
    package var serial: Int64
    package var tenant: String
    /// The engine path that every line must name, such as `/v1/chat/completions`.
    package var endpoint: String
    package var inputFile: FileID
    /// As the client wrote it, such as `24h`.
    package var completionWindow: String
    package var metadata: [MetadataEntry]
    /// How long the output and error files live; nil: for the store's default.
    package var outputLifetime: Duration?
    package var state: BatchState
    /// The window closed before every line ended: `finalizing` becomes `expired`, not `completed`.
    package var endsExpired: Bool
    package var times: BatchTimes
    package var counts: BatchCounts
    package var usage: BatchUsage
    /// Why validation failed, in line order, cut at the store's limit.
    package var faults: [BatchFault]
    /// Set when the batch is final and the file has at least one line.
    package var outputFile: FileID?
    package var errorFile: FileID?
    /// The model of its lines when they all name the same one.
    package var model: String?

    package init(
        id: BatchID, serial: Int64, tenant: String, endpoint: String, inputFile: FileID, completionWindow: String,
        times: BatchTimes
    ) {
        self.id = id
        self.serial = serial
        self.tenant = tenant
        self.endpoint = endpoint
        self.inputFile = inputFile
        self.completionWindow = completionWindow
        self.metadata = []
        self.outputLifetime = nil
        self.state = .validating
        self.endsExpired = false
        self.times = times
        self.counts = BatchCounts()
        self.usage = BatchUsage()
        self.faults = []
        self.outputFile = nil
        self.errorFile = nil
        self.model = nil
    }
}

/// One pair of a client's `metadata`, in the order it was sent.
package struct MetadataEntry: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// When a batch passed each point; nil where it did not.
package struct BatchTimes: Sendable, Hashable {
    package var created: WallTime
    /// When the window closes.
    package var expires: WallTime
    package var inProgress: WallTime?
    package var finalizing: WallTime?
    package var completed: WallTime?
    package var failed: WallTime?
    package var expired: WallTime?
    package var cancelling: WallTime?
    package var cancelled: WallTime?

    package init(created: WallTime, expires: WallTime) {
        self.created = created
        self.expires = expires
    }
}

/// Lines by how they ended. When the batch is final, `total == completed + failed`: lines that expired or were
/// cancelled count as failed, as each has a line in the error file.
package struct BatchCounts: Sendable, Hashable {
    package var total: Int
    package var completed: Int
    package var failed: Int

    package init(total: Int = 0, completed: Int = 0, failed: Int = 0) {
        self.total = total
        self.completed = completed
        self.failed = failed
    }

    /// Lines with no terminal record yet.
    package var open: Int { total - completed - failed }
}

/// Tokens over all answered lines, from the engines' own usage reports.
package struct BatchUsage: Sendable, Hashable {
    package var inputTokens: Int
    package var cachedTokens: Int
    package var outputTokens: Int

    package init(inputTokens: Int = 0, cachedTokens: Int = 0, outputTokens: Int = 0) {
        self.inputTokens = inputTokens
        self.cachedTokens = cachedTokens
        self.outputTokens = outputTokens
    }
}

/// Why an input file is not a batch: one entry of `errors.data[]`.
package struct BatchFault: Sendable, Hashable {
    /// Stable word, such as `duplicate_custom_id`.
    package var code: String
    package var message: String
    /// The field at fault, if one is.
    package var parameter: String?
    /// The line, counted from 1; nil when the fault is the file's.
    package var line: Int?

    package init(code: String, message: String, parameter: String? = nil, line: Int? = nil) {
        self.code = code
        self.message = message
        self.parameter = parameter
        self.line = line
    }
}
