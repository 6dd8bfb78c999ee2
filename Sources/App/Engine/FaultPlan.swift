/// What goes wrong on purpose. Set by `--fault KEY[=VALUE]` and by `POST /admin/faults` with the same keys.
struct FaultPlan: Sendable, Equatable {
    /// 503 instead of an answer, as an engine says that it is full.
    var refuse = false
    /// The status that `refuse` answers with.
    var refuseStatus = 503
    /// New connections are refused for this many seconds.
    var refuseConnectionsSeconds: Double?
    /// The connection is reset before any byte of the answer.
    var resetBeforeFirstByte = false
    /// The connection is reset after this many tokens of the answer.
    var resetAfterTokens: Int?
    /// Nothing more is sent after this many tokens; 0: not even a head.
    var stallAfterTokens: Int?
    /// A stream's first event is an overload error, after a 200 (as SGLang does).
    var errorFirst = false
    /// A stream carries an error event after this many tokens, then ends.
    var errorAfterTokens: Int?
    /// `/metrics` answers 404.
    var metricsMissing = false
    /// Figures that `/metrics` shows instead of the truth.
    var metricsRunning: Int?
    var metricsWaiting: Int?
    var metricsKVUse: Double?
    /// `/health` answers 503; requests are served.
    var unhealthy = false
    /// The process dies when this text is in a request body.
    var crashOn: String?
    /// Faults of requests strike one request in so many.
    var oneIn = 1
    /// Chooses which ones.
    var seed: UInt64 = 1

    struct Mistake: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    static let keys = [
        "refuse", "refuse_status", "refuse_connections_seconds", "reset_before_first_byte", "reset_after_tokens",
        "stall_after_tokens", "error_first", "error_after_tokens", "metrics_missing", "metrics_running",
        "metrics_waiting", "metrics_kv_use", "unhealthy", "crash_on", "one_in", "seed",
    ]

    /// Sets one fault; null takes it back. Dashes count as underscores.
    mutating func set(_ key: String, to value: JSONValue) throws(Mistake) {
        let key = String(key.map { $0 == "-" ? "_" : $0 })
        let none = FaultPlan()
        let isNull = value == .null
        switch key {
        case "refuse": refuse = try isNull ? false : flag(value, key)
        case "refuse_status": refuseStatus = try isNull ? none.refuseStatus : count(value, key)
        case "refuse_connections_seconds": refuseConnectionsSeconds = try isNull ? nil : number(value, key)
        case "reset_before_first_byte": resetBeforeFirstByte = try isNull ? false : flag(value, key)
        case "reset_after_tokens": resetAfterTokens = try isNull ? nil : count(value, key)
        case "stall_after_tokens": stallAfterTokens = try isNull ? nil : count(value, key)
        case "error_first": errorFirst = try isNull ? false : flag(value, key)
        case "error_after_tokens": errorAfterTokens = try isNull ? nil : count(value, key)
        case "metrics_missing": metricsMissing = try isNull ? false : flag(value, key)
        case "metrics_running": metricsRunning = try isNull ? nil : count(value, key)
        case "metrics_waiting": metricsWaiting = try isNull ? nil : count(value, key)
        case "metrics_kv_use": metricsKVUse = try isNull ? nil : number(value, key)
        case "unhealthy": unhealthy = try isNull ? false : flag(value, key)
        case "crash_on": crashOn = try isNull ? nil : text(value, key)
        case "one_in": oneIn = max(1, try isNull ? 1 : count(value, key))
        case "seed": seed = try isNull ? none.seed : UInt64(count(value, key))
        default: throw Mistake(description: "unknown fault '\(key)'; known: \(FaultPlan.keys.joined(separator: ", "))")
        }
    }

    /// Sets one fault from a flag: `KEY` or `KEY=VALUE`.
    mutating func set(flag text: String) throws(Mistake) {
        guard let equals = text.firstIndex(of: "=") else { return try set(text, to: .bool(true)) }
        let raw = String(text[text.index(after: equals)...])
        let value: JSONValue
        if let integer = Int(raw) {
            value = .integer(integer)
        } else if let number = Double(raw) {
            value = .number(number)
        } else {
            value = raw == "true" || raw == "false" ? .bool(raw == "true") : .string(raw)
        }
        try set(String(text[..<equals]), to: value)
    }

    private func flag(_ value: JSONValue, _ key: String) throws(Mistake) -> Bool {
        guard let flag = value.flag else { throw mistake(key, "true or false", value) }
        return flag
    }

    private func count(_ value: JSONValue, _ key: String) throws(Mistake) -> Int {
        guard let count = value.integer, count >= 0, count <= 1 << 40 else {
            throw mistake(key, "a whole number from 0", value)
        }
        return count
    }

    private func number(_ value: JSONValue, _ key: String) throws(Mistake) -> Double {
        guard let number = value.number, number >= 0, number <= 1e9 else {
            throw mistake(key, "a number from 0", value)
        }
        return number
    }

    private func text(_ value: JSONValue, _ key: String) throws(Mistake) -> String {
        guard let text = value.text, !text.isEmpty else { throw mistake(key, "a text", value) }
        return text
    }

    private func mistake(_ key: String, _ wanted: String, _ value: JSONValue) -> Mistake {
        Mistake(description: "fault '\(key)' takes \(wanted), found \(value.kind)")
    }
}
