import FleetTracking
import NIOCore
import WireFormats

/// From what an engine wrote to the values of the core.
extension EngineReader {
    static func models(in body: ByteBuffer) -> ModelsAnswer {
        do throws(ScanFailure) {
            let list = try body.withUnsafeReadableBytes { bytes throws(ScanFailure) in try ModelList.parse(bytes) }
            return .listed(list.records.map { LearnedModel(name: $0.id, record: $0.raw) })
        } catch {
            return .failed("not a model list: \(error)")
        }
    }

    static func sample(in body: ByteBuffer, takenAt: Instant) -> MetricsAnswer {
        let signals = body.withUnsafeReadableBytes { EngineMetrics.read($0) }
        guard let kind = EngineKind(rawValue: signals.kind.rawValue), kind != .unknown else {
            return .absent("no metric of a known engine family")
        }
        var sample = EngineSample(takenAt: takenAt)
        sample.running = signals.running
        sample.waiting = signals.waiting
        sample.kvUse = signals.kvUse
        sample.blockSize = signals.blockSize
        sample.blocks = signals.blocks
        sample.prefixQueries = signals.prefixQueries
        sample.prefixHits = signals.prefixHits
        sample.preemptions = signals.preemptions
        return .sampled(kind, sample)
    }
}
