package import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization
import WireFormats

/// Where lines go and how much of them may wait.
package struct LineLogSettings: Sendable {
    package enum Target: Sendable, Equatable {
        case standardOutput
        /// Appended to; made when it is not there.
        case file(String)
    }

    package var target: Target
    /// How often waiting lines are written.
    package var flushInterval: Duration = .milliseconds(100)
    /// A shard with this many bytes is written at once.
    package var flushBytes = 64 * 1024
    /// Bytes that may wait in each shard; lines beyond are dropped and counted.
    package var limitBytes = 4 * 1024 * 1024

    package init(target: Target) { self.target = target }
}

/// Lines written from event loops without waiting for the disk: each loop fills its own buffer, one thread writes them.
///
/// A disk that does not keep up costs lines, never a request: what is over the limit is dropped and counted.
package final class LineLog: Service {
    private struct Shard: ~Copyable {
        var bytes = ByteText()
        var lines = 0
        var dropped: UInt64 = 0
        var timestamp = TimestampText()
    }

    private final class GuardedShard: Sendable {
        let state = Mutex(Shard())
    }

    private let settings: LineLogSettings
    private let shards: [GuardedShard]
    private let file: LogFile
    private let wallClock: WallClock
    private let signals: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let mustReopen = Atomic<Bool>(false)
    private let lost = Atomic<UInt64>(0)
    private let logger: Logger

    /// One shard for each event loop. Throws a `LogFile.Failure` when the file cannot be opened.
    package init(settings: LineLogSettings, shards: Int, wallClock: WallClock, logger: Logger) throws {
        self.settings = settings
        self.shards = (0..<max(1, shards)).map { _ in GuardedShard() }
        self.wallClock = wallClock
        self.logger = logger
        file = try LogFile(target: settings.target)
        (signals, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Lets `build` append one line (without its end) to the loop's buffer, unless that is full.
    func append(loop: Int, _ build: (inout ByteText, _ write: inout TimestampText) -> Void) {
        let isFull = shards[loop % shards.count].state.withLock { shard in
            guard shard.bytes.count < settings.limitBytes else {
                shard.dropped &+= 1
                return false
            }
            build(&shard.bytes, &shard.timestamp)
            shard.bytes.append(UInt8(ascii: "\n"))
            shard.lines += 1
            return shard.bytes.count >= settings.flushBytes
        }
        if isFull { wake.yield() }
    }

    /// Lines that were dropped since the start: over the limit, or not written by the disk.
    package var droppedLines: UInt64 {
        shards.reduce(lost.load(ordering: .relaxed)) { sum, shard in sum + shard.state.withLock { $0.dropped } }
    }

    /// Opens the file anew before the next write, after a log rotation moved it.
    package func reopen() {
        mustReopen.store(true, ordering: .relaxed)
        wake.yield()
    }

    /// Writes until shut down; then once more, so that the last lines are kept.
    package func run() async throws {
        let writer = NIOThreadPool(numberOfThreads: 1)
        writer.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.tick() }
            for await _ in signals.cancelOnGracefulShutdown() where mustReopen.load(ordering: .relaxed) || hasLines {
                try? await writer.runIfActive { self.flush() }
            }
            group.cancelAll()
        }
        try? await writer.runIfActive { self.flush() }
        try await writer.shutdownGracefully()
    }

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: settings.flushInterval)
            wake.yield()
        }
    }

    private var hasLines: Bool { shards.contains { $0.state.withLock { $0.lines > 0 } } }

    /// Writes what waits. Blocks on the disk; called on the writer's thread only.
    func flush() {
        wallClock.refresh()
        if mustReopen.exchange(false, ordering: .relaxed), let failure = file.reopen() {
            logger.error("log file cannot be reopened; the old one goes on", metadata: ["reason": "\(failure.text)"])
        }
        for shard in shards {
            var taken = ByteText(capacity: settings.flushBytes)
            let lines = shard.state.withLock { shard in
                guard shard.lines > 0 else { return 0 }
                swap(&taken, &shard.bytes)
                defer { shard.lines = 0 }
                return shard.lines
            }
            guard lines > 0, let failure = taken.withUnsafeBytes({ file.write($0) }) else { continue }
            let before = lost.wrappingAdd(UInt64(lines), ordering: .relaxed).oldValue
            if before == 0 {
                logger.error("log lines are lost: they cannot be written", metadata: ["reason": "\(failure.text)"])
            }
        }
    }
}
