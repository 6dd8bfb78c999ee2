import Simulation

/// Two fleets, one for requests and one for a backlog of jobs, against one pool for both.
struct FleetComparison {
    /// Of the requests' tokens; nil: the jobs are the trace's own.
    var ratio: Double?
    var jobs: Int
    var realtime: FleetTrial
    var async: FleetTrial
    var pool: FleetTrial

    var silos: Int { realtime.endpoints + async.endpoints }
    var saved: Int { silos - pool.endpoints }
    /// Of the silos' endpoints.
    var savedPercent: Double { Double(saved) * 100 / Double(max(1, silos)) }

    var backlog: String {
        ratio.map { "\(jobs) jobs (\($0.short) times the requests' tokens)" } ?? "\(jobs) jobs of the trace"
    }

    /// What a manager needs. `hours` and `price` of one endpoint; nil: money is not spoken of.
    func sentence(hours: Double, price: Double?) -> String {
        let (one, two) = (FleetComparison.endpoints(pool.endpoints), FleetComparison.endpoints(silos))
        var text = "With a backlog of \(backlog), one pool of \(one) does the work of two fleets of together \(two)"
        guard saved != 0 else { return text + ": merging them saves no endpoint." }
        guard saved > 0 else {
            return
                "With a backlog of \(backlog), one pool needs \(one) and two fleets together \(two): merging them does not pay."
        }
        text += ": \(savedPercent.fixed(0)) % fewer"
        if let price {
            // Of a year, because a trace's minutes cost next to nothing.
            let yearly = Double(saved) * price * 24 * 365
            text +=
                ", which saves \((Double(saved) * hours * price).fixed(2)) in this time and "
                + "\(FleetComparison.grouped(yearly)) in a year of such traffic"
        }
        return text + "."
    }

    private static func endpoints(_ count: Int) -> String { count == 1 ? "1 endpoint" : "\(count) endpoints" }

    /// Whole, in groups of three digits.
    static func grouped(_ value: Double) -> String {
        var text = ""
        for (index, digit) in value.fixed(0).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { text = "," + text }
            text = String(digit) + text
        }
        return text
    }
}
