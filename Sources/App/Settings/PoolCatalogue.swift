import FleetTracking
import SchedulerRuntime

/// Settings of pools and endpoints: the lists of the configuration.
enum PoolCatalogue {
    /// Engine paths that are served unless a pool says otherwise: chat, completions, embeddings, responses, messages,
    /// and the scoring, ranking and token paths of the engines.
    static let defaultPaths = [
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages",
        "/v1/messages/count_tokens", "/v1/rerank", "/v2/rerank", "/rerank", "/v1/score", "/score", "/tokenize",
        "/detokenize", "/classify", "/pooling", "/embed", "/v2/embed",
    ]

    static let engines = Setting(
        list: "engines", allowed: "http:// or https:// URLs of engines",
        reason: "Short form for one pool named `default` that serves whatever these engines list. Instead of `pools`.",
        isAllowed: { (try? EndpointSpecification.parse(url: $0).get()) != nil })

    static let name = required(
        Setting(
            "pools[].name", .text("letters, digits, `.`, `_` and `-`"), default: "",
            reason: "The pool's name in metrics, logs and the admin API."))
    static let models = Setting(
        list: "pools[].models", allowed: "model names as requests spell them",
        reason: "Models this pool serves whatever its engines say; they are known before the first engine answers.")
    static let paths = Setting(
        list: "pools[].paths", allowed: "paths that begin with `/`", default: defaultPaths,
        reason: "Engine paths that clients may POST to.", isAllowed: { $0.hasPrefix("/") && !$0.contains("?") })
    static let priority = Setting(
        "pools[].client-priority",
        ValueKind(
            name: "word", allowed: "pass, refuse, or a whole number that replaces it", parse: clientPriority,
            render: { _ in "pass" }), default: ClientPriority.pass,
        reason: "What becomes of a client's own `priority` field: engines order their queues by it.")
    static let realtimeTimeToLive = Setting(
        "pools[].realtime-ttl", .duration(.zero...(.seconds(3600))), default: sample.realtimeTimeToLive,
        reason: "The longest a real-time request waits for room; then 429 with Retry-After.")
    static let expectedOutput = Setting(
        "pools[].expected-output-tokens", .integer(1...1_000_000), default: sample.expectedOutputTokens,
        reason: "Output tokens assumed for a request that names no limit, until the pool's own figures are known.")

    static let url = required(
        Setting(
            "pools[].endpoints[].url",
            ValueKind(
                name: "URL", allowed: "http://host:port or https://host:port, with an optional path prefix",
                parse: { (try? EndpointSpecification.parse(url: $0).get()) == nil ? nil : $0 }, render: { $0 }),
            default: "", reason: "Where the engine listens."))
    static let maximumSequences = Setting(
        "pools[].endpoints[].max-sequences", .integer(0...1_000_000), default: 0,
        reason: "Sequences the engine runs at once (vLLM: --max-num-seqs); 0: assumed, then learned from its metrics.")
    static let batchTokens = Setting(
        "pools[].endpoints[].batch-tokens", .integer(0...10_000_000), default: 0,
        reason: "Tokens of one engine step (vLLM: --max-num-batched-tokens); 0: assumed.")
    static let credentialVariable = Setting(
        "pools[].endpoints[].credential-env", .text("the name of an environment variable"), default: "",
        reason: "Its value is sent to this engine as a bearer token. The client's own key is never sent on.")
    static let credentialFile = Setting(
        "pools[].endpoints[].credential-file", .text("a file that holds the token alone"), default: "",
        reason: "Like `credential-env`, from a file; read again on SIGHUP.")
    static let authorityFile = Setting(
        "pools[].endpoints[].ca-file", .text("a PEM file"), default: "",
        reason: "Authorities to trust for an https engine; empty: the system's.")

    static let descriptors = [
        engines.descriptor, name.descriptor, models.descriptor, paths.descriptor, priority.descriptor,
        realtimeTimeToLive.descriptor, expectedOutput.descriptor, url.descriptor, maximumSequences.descriptor,
        batchTokens.descriptor, credentialVariable.descriptor, credentialFile.descriptor, authorityFile.descriptor,
    ]

    private static let sample = PoolDescription(name: "", allowedPaths: [])

    private static func required<Value>(_ setting: Setting<Value>) -> Setting<Value> {
        var setting = setting
        setting.descriptor.isRequired = true
        return setting
    }

    @Sendable private static func clientPriority(_ text: String) -> ClientPriority? {
        switch text {
        case "pass": .pass
        case "refuse": .refuse
        default: Int(text).map { .overwrite($0) }
        }
    }
}
