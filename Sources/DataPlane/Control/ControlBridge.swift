package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Runs the control plane's answers as child tasks: the one place where the data path meets structured concurrency.
///
/// At most `limit` requests at once, and a few more of those that watch the gateway. A connection asks before it hands
/// one over, and answers 503 itself at the limit.
package final class ControlBridge: Service {
    private let surface: any ControlSurface
    private let limit: Int
    private let reserve: Int
    private let logger: Logger
    private let inFlight = Atomic<Int>(0)
    private let calls: AsyncStream<ControlCall>
    private let queue: AsyncStream<ControlCall>.Continuation

    /// `reserve` places beyond `limit` are for the metrics alone, and as many beyond those for the probes alone.
    package init(surface: any ControlSurface, limit: Int, reserve: Int, logger: Logger) {
        self.surface = surface
        self.limit = limit
        self.reserve = reserve
        self.logger = logger
        // Never holds more calls than there are places: each took one before.
        (calls, queue) = AsyncStream.makeStream()
    }

    /// Control requests being answered now, for metrics.
    package var running: Int { inFlight.load(ordering: .relaxed) }

    /// Ends when the task is cancelled or `close` was called, and every request it took has been answered.
    package func run() async throws {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await call in calls {
                    group.addTask { await self.answer(call) }
                }
            }
        } onCancel: {
            queue.finish()
        }
    }

    /// No further requests; `run` returns after those it has.
    package func close() { queue.finish() }

    /// False at the limit.
    func takePlace(_ rank: ControlRank) -> Bool {
        if inFlight.add(1, ordering: .relaxed).newValue <= limit + rank.rawValue * reserve { return true }
        inFlight.subtract(1, ordering: .relaxed)
        return false
    }

    /// Hands over a request for which a place was taken.
    func hand(_ call: ControlCall) {
        if case .enqueued = queue.yield(call) { return }
        inFlight.subtract(1, ordering: .relaxed)
        call.abandon()
    }

    private func answer(_ call: ControlCall) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await self.surface.respond(to: call.request(), writer: call)
                    await call.close(nil)
                } catch {
                    await call.close(error)
                    self.log(error, call)
                }
                return true
            }
            group.addTask {
                await call.untilClientIsGone()
                return false
            }
            // Whichever comes first ends the other: a client that goes away cancels the answer to it.
            _ = await group.next()
            group.cancelAll()
        }
        inFlight.subtract(1, ordering: .relaxed)
    }

    private func log(_ error: any Error, _ call: ControlCall) {
        if error is CancellationError || error is ControlFailure { return }
        logger.error(
            "a control request failed",
            metadata: ["path": "\(call.path)", "request_id": "\(call.requestID)", "error": "\(error)"])
    }
}
