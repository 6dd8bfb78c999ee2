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
            $0.member("running", running)
            $0.member("waiting", waiting)
            $0.member("kv_use", kvUse)
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
