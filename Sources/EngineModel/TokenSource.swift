/// The simulated model: the next token as a seeded function of the whole context, as greedy decoding is.
///
/// It draws from a small vocabulary of short words, endings, single letters that merge with their neighbours when the
/// text is read back, and characters of several bytes, some of them in two halves.
package struct TokenSource: Sendable {
    private let spoken: [Int32]
    private let emojiTails: [Int32]
    private let ideographTails: [Int32]
    private let latinTails: [Int32]
    private let emojiHead: Int32
    /// The answer ends where a 32-bit draw is below this.
    private let endThreshold: UInt64

    /// An answer ends by itself after `meanOutputTokens` on average.
    package init(meanOutputTokens: Int) {
        let tokenizer = Tokenizer()
        let heads = [Token.byte(Token.ideographHead), Token.byte(Token.latinHead)]
        let firstTail = Token.wholeCharacters.count + 1
        emojiHead = Token.piece(firstTail - 1)
        emojiTails = Token.emojiTails.indices.map { Token.piece(firstTail + $0) }
        ideographTails = Token.ideographTails.indices.map { Token.piece(firstTail + Token.emojiTails.count + $0) }
        latinTails = Token.latinTails.map { Token.byte($0) }
        let whole = Token.wholeCharacters.indices.map { Token.piece($0) }
        spoken = TokenSource.words.compactMap { tokenizer.encode($0).first } + whole + heads + [emojiHead, emojiHead]
        endThreshold = (1 << 32) / UInt64(max(1, meanOutputTokens))
    }

    /// The next token after a context. Half a character is always followed by its other half; the first token of a
    /// turn is never the end.
    package func next(after chain: TokenChain, sampling: UInt64, mayEnd: Bool) -> Int32 {
        let draw = fold(chain.digest ^ sampling, 0x1d8e_4e27_c47d_124f)
        let choice = Int(truncatingIfNeeded: draw >> 32)
        switch chain.last {
        case emojiHead: return emojiTails[choice % emojiTails.count]
        case Token.byte(Token.ideographHead): return ideographTails[choice % ideographTails.count]
        case Token.byte(Token.latinHead): return latinTails[choice % latinTails.count]
        case Token.assistant: break
        default: if mayEnd, draw & 0xffff_ffff < endThreshold { return Token.endOfSequence }
        }
        return spoken[choice % spoken.count]
    }

    /// Each is one token; no piece is longer than four letters.
    private static let words: [String] = [
        " the", " tide", " sea", " sand", " ship", " wave", " salt", " wind", " rope", " sail", " moon", " rock",
        " pier", " gull", " fish", " deep", " low", " high", " slow", " fast", " blue", " grey", " cold", " warm",
        " in", " on", " at", " by", " of", " to", " and", " or", " but", " then", " when", " as", " so", " not",
        " is", " was", " has", " had", " can", " may", " will", " runs", " goes", " come", " ebbs", " rise", " fall",
        " turn", " rest", " wait", " hold", " pull", " push", " keep", " one", " two", " ten", " all", " some",
        " each", " more", " less", " old", " far", " near", " long", " we", " you", " they", " it", " he", " she",
        " a", " an", " i", "a", "b", "ab", "c", "d", "e", "s", "t", "st", "ed", "er", "ing", "ly", "es", "ness", "al",
        "ward", "less", "ful", "able", "n", "o", "r", ",", ".", ".", ",", "\n", "!", "?", ";", "(", ")", "1", "2", "7",
        "\"", "T", "W", "A",
    ]
}
