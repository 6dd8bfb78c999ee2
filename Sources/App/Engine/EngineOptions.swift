import EngineModel

/// How the simulated engine's process is set up.
struct EngineOptions: Sendable {
    var host = "127.0.0.1"
    /// 0: the system chooses.
    var port = 0
    /// The model's name; with the aliases, what requests may call it.
    var model: String
    var aliases: [String] = []
    /// Names of LoRA adapters. Each answers differently and shares no prefix blocks with the base model.
    var adapters: [String] = []
    /// The `root` of the served model in `/v1/models`.
    var root: String
    var engine: EngineSettings
    /// How much faster than the profile everything happens.
    var speed = 1.0
    /// `/health` answers 503 and requests are refused for this long after the start.
    var startupDelay = Duration.zero
    /// Time between a request's arrival and its entry into the engine's queue, before `speed`.
    var requestOverhead = Duration.milliseconds(5)
    var faults = FaultPlan()
    var limits = EngineLimits()

    /// The model and its limits after the default profile.
    init(model: String, profile: EngineProfile = .standard) {
        self.model = model
        root = profile.modelRoot
        engine = EngineSettings(profile: profile)
    }

    /// Every name of the base model, the one that answers carry first.
    var baseNames: [String] { [model] + aliases.filter { $0 != model } }
}

/// What the simulated engine bears from its clients.
struct EngineLimits: Sendable {
    /// Bytes of one request body; beyond: 413.
    var bodyBytes = 64 << 20
    /// Requests that may wait on one connection behind the one in progress; beyond: the connection is closed.
    var pipelinedRequests = 64
    /// Bytes that a client may leave unread before its connection is closed.
    var unreadBytes = 16 << 20
    /// Sequences of one request (`n` times its prompts); beyond: 400.
    var sequences = 4096
    /// Connections waiting to be accepted.
    var backlog = 4096
}
