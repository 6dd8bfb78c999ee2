import FleetTracking
import WireFormats

extension FleetFigures.Endpoint {
    func write(to json: inout JSONText, pool: String?) {
        json.object {
            $0.member("id", id.index)
            $0.member("url", url)
            if let pool { $0.member("pool", pool) }
            $0.member("kind", kind.rawValue)
            $0.member("state", state.rawValue)
            $0.member("fault", fault)
            $0.array("models") { for model in models { $0.value(model) } }
            $0.key("in_flight")
            inFlight.write(to: &$0)
            // The engine's own figures; null where it does not tell.
            $0.member("running", sample?.running)
            $0.member("waiting", sample?.waiting)
            $0.member("kv_use", sample?.kvUse)
            $0.member("kv_blocks", sample?.blocks)
            $0.member("kv_block_tokens", sample?.blockSize)
            $0.member("prefix_queried_tokens", sample?.prefixQueries)
            $0.member("prefix_hit_tokens", sample?.prefixHits)
            $0.member("preemptions", sample?.preemptions)
            $0.member("maximum_sequences", maximumSequences)
        }
    }
}

extension BandCounts {
    func write(to json: inout JSONText) {
        json.object {
            $0.member(Band.realtime.label, realtime)
            $0.member(Band.async.label, async)
        }
    }
}
