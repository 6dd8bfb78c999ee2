import Dispatch
import GRDB
import JobLifecycle
import Synchronization

/// The one writer of a database: operations that wait while a transaction commits go together into the next one.
///
/// Every operation has its own savepoint: one that is refused leaves the others of its transaction alone. Its
/// continuation is resumed after the commit, so what it says is durable.
final class GroupCommitWriter: Sendable {
    private struct Operation: Sendable {
        var perform: @Sendable (Database) throws -> Void
        /// Called once, on the writer's thread: nil after the commit, else why it had no effect.
        var finish: @Sendable (StoreFailure?) -> Void
    }

    private struct Waiting {
        var operations: [Operation] = []
        var isScheduled = false
    }

    private let connection: StoreConnection
    private let queue = DispatchQueue(label: "neap.store.writer")
    private let waiting = Mutex(Waiting())
    private let waitingLimit: Int
    private let perCommit: Int

    init(connection: StoreConnection, settings: StoreSettings) {
        self.connection = connection
        waitingLimit = settings.waitingOperations
        perCommit = max(1, settings.operationsPerCommit)
    }

    /// Runs the body in a transaction and returns after its commit. `committed` is called on the writer's thread
    /// after the commit and before any later operation starts.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value,
        committed: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws(StoreFailure) -> Value {
        let slot = Slot<Value>()
        let result: Result<Value, StoreFailure> = await withCheckedContinuation { continuation in
            let operation = Operation(
                perform: { db in
                    let value = try body(db)
                    slot.value.withLock { $0 = value }
                },
                finish: { failure in
                    if let value = slot.value.withLock({ $0 }), failure == nil {
                        committed(value)
                        continuation.resume(returning: .success(value))
                    } else {
                        continuation.resume(returning: .failure(failure ?? GroupCommitWriter.noValue))
                    }
                })
            if let refusal = enqueue(operation) { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    private static let noValue = StoreFailure(code: .unavailable, message: "The operation did not run.")

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private func enqueue(_ operation: Operation) -> StoreFailure? {
        let (refusal, mustSchedule): (StoreFailure?, Bool) = waiting.withLock { waiting in
            guard waiting.operations.count < waitingLimit else {
                return (
                    StoreFailure(
                        code: .limitReached, message: "The store has \(waitingLimit) operations waiting.",
                        retry: .after(.seconds(1))), false
                )
            }
            waiting.operations.append(operation)
            defer { waiting.isScheduled = true }
            return (nil, !waiting.isScheduled)
        }
        if mustSchedule { queue.async { self.drain() } }
        return refusal
    }

    private func drain() {
        while true {
            let operations: [Operation] = waiting.withLock { waiting in
                let count = min(perCommit, waiting.operations.count)
                if count == 0 { waiting.isScheduled = false }
                defer { waiting.operations.removeFirst(count) }
                return Array(waiting.operations.prefix(count))
            }
            if operations.isEmpty { return }
            commit(operations)
        }
    }

    private func commit(_ operations: [Operation]) {
        do {
            let refusals = try connection.pool().writeWithoutTransaction { db in
                try GroupCommitWriter.transact(db, operations)
            }
            connection.noteCommit()
            for (operation, refusal) in zip(operations, refusals) { operation.finish(refusal) }
        } catch {
            let failure = StoreConnection.failure(error)
            connection.note(failure)
            for operation in operations { operation.finish(failure) }
        }
    }

    /// One entry per operation: nil, or why that one was rolled back. Throws when nothing was committed.
    private static func transact(_ db: Database, _ operations: [Operation]) throws -> [StoreFailure?] {
        try db.beginTransaction(.immediate)
        do {
            var refusals: [StoreFailure?] = []
            refusals.reserveCapacity(operations.count)
            for operation in operations { refusals.append(try perform(operation, db)) }
            try db.commit()
            return refusals
        } catch {
            // Some failures (a full disk) have ended the transaction already.
            if db.isInsideTransaction { try? db.rollback() }
            throw error
        }
    }

    private static func perform(_ operation: Operation, _ db: Database) throws -> StoreFailure? {
        var refusal: StoreFailure?
        try db.inSavepoint {
            do {
                try operation.perform(db)
                return .commit
            } catch {
                let failure = StoreConnection.failure(error)
                // A failing disk fails the whole transaction: nothing in it may be called durable.
                if failure.code == .unavailable { throw error }
                refusal = failure
                return .rollback
            }
        }
        return refusal
    }

    /// Returns when every operation that was enqueued before has finished.
    func flush() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async { continuation.resume() }
        }
    }
}
