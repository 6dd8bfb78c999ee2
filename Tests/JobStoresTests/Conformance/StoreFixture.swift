import Foundation
import JobLifecycle
import JobStores
import Testing

/// Makes the store under test: empty at first, the same again when opened after a close.
protocol StoreFixture: Sendable {
    func open(_ settings: StoreSettings) async throws -> any JobStore
}

/// One promise of the contract, and the proof.
struct StorePromise: Sendable, CustomTestStringConvertible {
    var name: String
    var prove: @Sendable (any StoreFixture) async throws -> Void

    init(_ name: String, _ prove: @escaping @Sendable (any StoreFixture) async throws -> Void) {
        self.name = name
        self.prove = prove
    }

    var testDescription: String { name }
}

/// The times that tests use. Nothing in a store reads a clock.
enum Time {
    static let start = WallTime(seconds: 1_800_000_000)
    static func at(_ seconds: Int64) -> WallTime { start + .seconds(seconds) }
}

/// Steps that many promises need.
enum Steps {
    static let endpoint = "/v1/chat/completions"

    static func upload(
        _ store: any JobStore, _ text: String = "{}\n", tenant: String = "", lifetime: Duration? = nil,
        name: String = "in.jsonl"
    ) async throws -> StoredFile {
        let upload = try await store.beginFile(
            FileDraft(tenant: tenant, filename: name, purpose: .batch, lifetime: lifetime))
        try await upload.write(Array(text.utf8))
        return try await upload.finish(now: Time.start)
    }

    static func create(
        _ store: any JobStore, tenant: String = "", window: Duration = .seconds(86_400), now: WallTime = Time.start
    ) async throws -> Batch {
        let file = try await upload(store, tenant: tenant)
        return try await store.createBatch(
            BatchDraft(tenant: tenant, endpoint: endpoint, inputFile: file.id, window: window), now: now)
    }

    static func lines(_ range: Range<Int>, model: String = "m") -> [JobLine] {
        range.map { index in
            JobLine(
                index: index, customID: "line-\(index)", model: model, offset: index * 10, length: 10,
                cost: JobCost(promptTokens: 3, outputTokens: index % 2 == 0 ? nil : 7, sequences: 1))
        }
    }

    /// A running batch with this many lines.
    static func admitted(
        _ store: any JobStore, lines count: Int, model: String = "m", tenant: String = "",
        window: Duration = .seconds(86_400), now: WallTime = Time.start
    ) async throws -> Batch {
        let batch = try await create(store, tenant: tenant, window: window, now: now)
        try await store.insertLines(lines(0..<count, model: model), batch: batch.id)
        return try await store.admit(batch.id, now: now)
    }

    static func claim(_ store: any JobStore, _ limit: Int, model: String = "m") async throws -> [Job] {
        try await store.claim(ClaimRequest(models: [model], limit: limit)).jobs
    }

    static func success(_ job: Job, text: String = "{\"ok\":true}") -> JobChange {
        JobChange(
            job: job.id, lease: job.lease,
            step: .ended(
                JobRecord(
                    state: .succeeded,
                    response: JobResponse(status: 200, requestID: "req-\(job.id.line)", body: Array(text.utf8)),
                    usage: BatchUsage(inputTokens: 3, cachedTokens: 1, outputTokens: 5))))
    }

    static func failure(_ job: Job) -> JobChange {
        JobChange(
            job: job.id, lease: job.lease,
            step: .ended(JobRecord(state: .failed, fault: JobFault(code: "engine_reset", message: "gone"))))
    }

    static func change(_ job: Job, _ step: JobChange.Step) -> JobChange {
        JobChange(job: job.id, lease: job.lease, step: step)
    }

    /// The custom ids of a file's lines, in order.
    static func customIDs(_ store: any JobStore, _ id: FileID?, tenant: String = "") async throws -> [String] {
        try await objects(store, id, tenant: tenant).compactMap { $0["custom_id"] as? String }
    }

    static func objects(
        _ store: any JobStore, _ id: FileID?, tenant: String = ""
    ) async throws -> [[String: Any]] {
        guard let id else { return [] }
        let text = String(decoding: try await content(store, id, tenant: tenant), as: UTF8.self)
        return try text.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(value as? [String: Any])
        }
    }

    static func content(_ store: any JobStore, _ id: FileID, tenant: String = "") async throws -> [UInt8] {
        let reader = try await store.openFile(id, tenant: tenant, now: Time.start)
        var all: [UInt8] = []
        while true {
            let piece = try await reader.read(at: all.count, count: 1 << 20)
            if piece.isEmpty { return all }
            all += piece
        }
    }

    /// Runs the body and returns the code of the failure it must end in.
    static func code(_ body: () async throws -> Void) async -> StoreFailure.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? StoreFailure)?.code
        }
    }
}
