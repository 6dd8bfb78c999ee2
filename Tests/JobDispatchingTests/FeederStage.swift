import FleetTracking
import FlowControl
import Foundation
import JobDispatching
import JobLifecycle
import JobStores
import Logging
import SchedulerRuntime
import ServiceLifecycle
import Synchronization
import Testing

/// A feeder between a real store, scripted engines and a claiming scheduler, on a clock moved by hand.
final class FeederStage: Sendable {
    static let endpoint = "/v1/chat/completions"

    let path: String
    let ownsFolder: Bool
    let store: SQLiteJobStore
    /// What the feeder sees of the store.
    let faulty: FaultyStore
    let port: FakePort
    let scheduler: FakeScheduler
    let clock: HandClock
    let feeder: JobFeeder
    let ended = EventLog<Batch>()
    let directory: DirectoryHolder

    init(
        at path: String? = nil, port: FakePort = FakePort(), slots: Int = 8, clock: HandClock = HandClock(),
        models: [String] = ["m"], settings: FeederSettings = FeederSettings(),
        storeSettings: StoreSettings = StoreSettings()
    ) throws {
        self.path =
            path
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("neap-feeder-\(UUID().uuidString)").path
        ownsFolder = path == nil
        store = try SQLiteJobStore.open(path: self.path, settings: storeSettings)
        faulty = FaultyStore(store)
        self.port = port
        self.clock = clock
        let scheduler = FakeScheduler(slots: slots)
        self.scheduler = scheduler
        let directory = DirectoryHolder(FeederStage.directory(models))
        self.directory = directory
        var world = FeederWorld(
            store: faulty, port: OccupyingPort(port: port, scheduler: scheduler), submit: { scheduler.submit($0) },
            directory: { directory.current }, tenant: { _ in .everybody },
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        world.clock = clock.clock
        world.draws = { (jitter: 0, spread: 0) }
        let ended = ended
        world.batchEnded = { ended.add($0) }
        feeder = JobFeeder(world: world, settings: settings)
        let feeder = feeder
        scheduler.connect { feeder.receiveClaim($0, $1, limit: $2) }
        port.onAnswered { scheduler.free() }
    }

    deinit {
        if ownsFolder { try? FileManager.default.removeItem(atPath: path) }
    }

    static func directory(
        _ models: [String], paths: Set<String> = [endpoint], priority: ClientPriority = .pass,
        awaitsModels: Bool = false
    ) -> Directory {
        let pool = PoolEntry(id: PoolID(0), name: "p", allowedPaths: paths, clientPriority: priority)
        var directory = Directory(pools: [pool], awaitsModels: awaitsModels)
        for (index, model) in models.enumerated() {
            directory.models[model] = ModelEntry(id: ModelID(index), pool: PoolID(0), record: "{}")
        }
        return directory
    }

    /// Puts another directory in force, as a reload or an engine's answer does.
    func change(_ directory: Directory) {
        self.directory.update { $0 = directory }
        feeder.directoryChanged()
    }

    /// Runs the feeder while the body runs, then shuts it down gracefully and closes the store.
    func run(_ body: @escaping @Sendable (FeederStage) async throws -> Void) async throws {
        let group = ServiceGroup(services: [feeder], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body(self)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await store.close()
    }

    /// The feeder dies in the middle, as by a kill: its tasks are cancelled and nothing is closed.
    func runUntilKilled(_ body: @escaping @Sendable (FeederStage) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.feeder.run() }
            try await body(self)
            tasks.cancelAll()
        }
    }

    /// `more`: members of the body, each with its comma behind.
    static func line(_ customID: String, model: String = "m", more: String = "") -> String {
        """
        {"custom_id":"\(customID)","method":"POST","url":"\(endpoint)","body":{"model":"\(model)",\
        \(more)"n": 1,"big":9007199254740993,"user":"\(customID)"}}
        """
    }

    func upload(_ text: String) async throws -> StoredFile {
        let upload = try await store.beginFile(FileDraft(tenant: "", filename: "in.jsonl", purpose: .batch))
        try await upload.write(Array(text.utf8))
        return try await upload.finish(now: clock.now)
    }

    func createBatch(_ text: String, window: Duration = .seconds(86_400)) async throws -> Batch {
        let file = try await upload(text)
        return try await store.createBatch(
            BatchDraft(tenant: "", endpoint: FeederStage.endpoint, inputFile: file.id, window: window), now: clock.now)
    }

    func createBatch(lines: Int, model: String = "m", window: Duration = .seconds(86_400)) async throws -> Batch {
        let text = (0..<lines).map { FeederStage.line("line-\($0)", model: model) }.joined(separator: "\n")
        return try await createBatch(text, window: window)
    }

    /// Waits for the end of a batch.
    func end(of batch: Batch) async throws -> Batch {
        await ended.wait { $0.contains { $0.id == batch.id } }
        return try #require(ended.all.first { $0.id == batch.id })
    }

    func objects(_ id: FileID?) async throws -> [[String: Any]] {
        guard let id else { return [] }
        let reader = try await store.openFile(id, tenant: "", now: clock.now)
        var all: [UInt8] = []
        while true {
            let piece = try await reader.read(at: all.count, count: 1 << 20)
            if piece.isEmpty { break }
            all += piece
        }
        return try String(decoding: all, as: UTF8.self).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    func customIDs(_ id: FileID?) async throws -> [String] {
        try await objects(id).compactMap { $0["custom_id"] as? String }
    }
}
