/// The vocabulary's layout: which token ids mean what.
///
/// Special tokens, then one token per byte, then a few multi-byte pieces, then every run of one to four lowercase
/// letters, without and with a leading space. English comes to about four bytes per token, and no table is needed:
/// a letter piece's id is computed from its letters.
package enum Token {
    /// No token.
    package static let none: Int32 = -1
    package static let endOfSequence: Int32 = 0
    package static let beginning: Int32 = 1
    /// Chat template marks: the start of a turn by its role, and the end of a turn.
    package static let system: Int32 = 2
    package static let user: Int32 = 3
    package static let assistant: Int32 = 4
    package static let tool: Int32 = 5
    package static let endOfTurn: Int32 = 6

    static let bytes: Int32 = 16
    static let pieces: Int32 = 272
    static let letters: Int32 = 1024
    /// First id of the runs with 1, 2, 3 and 4 letters, from `letters`.
    static let runOffsets: [Int32] = [0, 26, 702, 18_278]
    /// Runs of one to four letters.
    static let runs: Int32 = 475_254
    /// One more than the greatest id.
    package static let count: Int32 = letters + 2 * runs

    /// Multi-byte pieces: whole characters, and halves of characters that must be put together again.
    static let pieceBytes: [[UInt8]] =
        wholeCharacters.map { Array($0.utf8) } + [emojiHead] + emojiTails + ideographTails

    static let wholeCharacters = ["é", "ü", "ñ", "ß", "ø", "€", "→", "…", "水", "潮", "海", "猫", "🌊", "🙂", "🚢"]
    /// The first half of an emoji; the second half is the next token.
    static let emojiHead: [UInt8] = [0xf0, 0x9f]
    static let emojiTails: [[UInt8]] = [[0x8c, 0x8a], [0x90, 0x9f], [0x99, 0x82]]
    static let ideographHead: UInt8 = 0xe6
    static let ideographTails: [[UInt8]] = [[0xb0, 0xb4], [0xbd, 0xae], [0xb5, 0xb7]]
    static let latinHead: UInt8 = 0xc3
    static let latinTails: [UInt8] = [0xa9, 0xbc, 0xb1, 0xb8]

    static func byte(_ value: UInt8) -> Int32 { bytes + Int32(value) }

    static func piece(_ index: Int) -> Int32 { pieces + Int32(index) }

    /// The id of a run of `count` letters whose base-26 value is `value`.
    static func run(value: Int32, count: Int, spaced: Bool) -> Int32 {
        letters + (spaced ? runs : 0) + runOffsets[count - 1] + value
    }
}
