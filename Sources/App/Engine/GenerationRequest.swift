/// What a request asks to be generated, whichever API it came by.
struct GenerationRequest: Sendable {
    /// The name that answers carry.
    var model: String
    /// Tells the base model and each adapter apart.
    var modelSeed: UInt64
    var prompts: [[Int32]]
    /// Answers per prompt.
    var choices = 1
    /// Nil: as many as fit.
    var maximumTokens: Int?
    var minimumTokens = 0
    var streams = false
    var includesUsage = false
    /// Usage on every chunk.
    var continuousUsage = false
    var stop: [String] = []
    var includesStop = false
    var stopTokens: [Int32] = []
    var ignoresEnd = false
    var priority = 0
    var returnsTokenIDs = false
    var sampling: UInt64 = 0
    var dependsOnPosition = false
    var cacheSalt: UInt64 = 0
    /// Legacy completions put the prompt's text before the answer.
    var echoes = false

    var promptTokens: Int { prompts.reduce(0) { $0 + $1.count } }
}
