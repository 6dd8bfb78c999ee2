import Hummingbird
package import JobLifecycle
package import JobStores
import NIOCore
import ServiceLifecycle
import Synchronization
import WireFormats

/// One picture of the gateway per second, made once for all viewers of `/admin/live`.
///
/// Tokens per second are noted also when nobody watches; the store is asked only while somebody does. A viewer that
/// cannot keep up misses pictures, never delays others: each holds at most one that is not sent yet.
package final class LiveFeed: Service {
    private struct State {
        var history = LiveHistory()
        /// Nil until the store was asked.
        var overview: StoreOverview?
        var viewers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var nextViewer = 0
        var refusals = 0
        var isOver = false
    }

    private let console: any FleetConsole
    private let queue: any JobQueue
    private let build: BuildInfo
    private let interval: Duration
    private let now: @Sendable () -> WallTime
    private let state = Mutex(State())
    package let viewerLimit: Int

    package init(
        console: any FleetConsole, store: any JobStore, build: BuildInfo, settings: ControlPlaneSettings,
        now: @escaping @Sendable () -> WallTime
    ) {
        self.console = console
        queue = store
        self.build = build
        interval = settings.liveInterval
        viewerLimit = settings.viewers
        self.now = now
    }

    /// Viewers connected now; for `/metrics`.
    package var viewers: Int { state.withLock { $0.viewers.count } }

    /// Viewers that the limit turned away since the start.
    package var refusals: Int { state.withLock { $0.refusals } }

    /// Ticks until shutdown, which ends every viewer's stream: a drain must not wait for them.
    package func run() async throws {
        defer { end() }
        try? await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await tick()
                try await Task.sleep(for: interval)
            }
        }
    }

    /// Takes one picture and gives it to every viewer.
    package func tick() async {
        let figures = console.figures()
        let time = now()
        let isWatched = state.withLock { state in
            state.history.add(figures.outputTokens, time: Int(time.milliseconds))
            return !state.viewers.isEmpty
        }
        guard isWatched else { return }
        await refreshOverview()
        let event = picture("tick", figures: figures, at: time, points: 1)
        let viewers = state.withLock { Array($0.viewers.values) }
        for viewer in viewers { viewer.yield(event) }
    }

    private func refreshOverview() async {
        // While the store is unwell the last board stays; readiness tells why it stands still.
        guard let overview = try? await queue.overview() else { return }
        state.withLock { $0.overview = overview }
    }

    /// A new viewer; nil at the limit or after the end.
    func join() -> LiveViewer? {
        let (events, continuation) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(1))
        let id: Int? = state.withLock { state in
            guard !state.isOver, state.viewers.count < viewerLimit else {
                state.refusals += 1
                return nil
            }
            state.nextViewer += 1
            state.viewers[state.nextViewer] = continuation
            return state.nextViewer
        }
        guard let id else { return nil }
        return LiveViewer(feed: self, id: id, events: events)
    }

    func leave(_ viewer: Int) {
        state.withLock { $0.viewers.removeValue(forKey: viewer) }?.finish()
    }

    /// The first event of a viewer: everything, with the whole history.
    func greeting() async -> ByteBuffer {
        await refreshOverview()
        return picture("hello", figures: console.figures(), at: now(), points: LiveHistory.capacity)
    }

    private func picture(_ name: String, figures: FleetFigures, at time: WallTime, points: Int) -> ByteBuffer {
        let (overview, shown) = state.withLock { ($0.overview, $0.history.points.suffix(points)) }
        return LiveEvent(
            name: name, figures: figures, overview: overview, points: shown, time: time,
            readiness: console.readiness, build: build
        ).bytes
    }

    private func end() {
        let viewers = state.withLock { state in
            state.isOver = true
            defer { state.viewers = [:] }
            return Array(state.viewers.values)
        }
        for viewer in viewers { viewer.finish() }
    }
}
