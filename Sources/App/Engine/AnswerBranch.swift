import EngineModel

/// One answer of a request: one sequence of the engine, and its text so far.
struct AnswerBranch {
    /// Place in the answer's `choices`.
    let index: Int
    /// Which of the request's prompts it answers.
    let prompt: Int
    /// Nil before it entered the engine and after it left.
    var sequence: SequenceID?
    var detokenizer: Detokenizer
    var stops: StopStrings
    /// All text that was released; empty for streams.
    var text: [UInt8] = []
    /// Text that the newest token released.
    var fresh: [UInt8] = []
    /// All tokens, where the request wants them back and is not streamed.
    var tokens: [Int32] = []
    var newest: Int32 = Token.none
    var generated = 0
    var cached = 0
    /// `stop` or `length`; nil while it goes on.
    var finish: FinishReason?
    /// The stop string that was reached.
    var stopText: String?
    /// The stop token that was reached.
    var stopToken: Int32?

    init(index: Int, prompt: Int, request: GenerationRequest, tokenizer: Tokenizer) {
        self.index = index
        self.prompt = prompt
        detokenizer = Detokenizer(after: request.prompts[prompt], using: tokenizer)
        stops = StopStrings(
            request.stop, includesStop: request.includesStop, minimumTokens: request.minimumTokens)
    }

    /// Takes one emission of the engine. Returns true when a stop string ended the answer before the engine did.
    mutating func receive(_ emission: Emission, request: GenerationRequest, tokenizer: Tokenizer) -> Bool {
        fresh.removeAll(keepingCapacity: true)
        newest = emission.token
        cached = Int(emission.cachedTokens)
        finish = emission.finish
        guard emission.token != Token.none else { return false }
        generated += 1
        if request.returnsTokenIDs, !request.streams { tokens.append(emission.token) }
        var piece: [UInt8] = []
        if emission.finish == .stop, emission.token != Token.endOfSequence {
            stopToken = emission.token
            if request.includesStop { tokenizer.appendBytes(of: emission.token, to: &piece) }
        } else {
            detokenizer.append(emission.token, using: tokenizer, to: &piece)
        }
        let hit = stops.append(piece[...], released: &fresh)
        if let hit {
            stopText = request.stop.filter { !$0.isEmpty }[hit]
            finish = .stop
            stopToken = nil
        } else if emission.finish != nil {
            stops.finish(released: &fresh)
        }
        if !request.streams { text += fresh }
        return hit != nil && emission.finish == nil
    }
}
