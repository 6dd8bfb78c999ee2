/// How many prompts a `prompt` or `input` value holds and about how many tokens they are.
struct PromptSize {
    /// A list of strings, or of lists of token ids, is one prompt each; everything else is one.
    private(set) var prompts = 1
    /// A quarter of the bytes; token ids are counted one by one.
    private(set) var tokens: Int

    /// `range` is a delimited value of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        tokens = range.count / 4
        guard !range.isEmpty, bytes[range.lowerBound] == UInt8(ascii: "[") else { return }
        let inside = (range.lowerBound + 1)..<max(range.lowerBound + 1, range.upperBound - 1)
        var cursor = JSONCursor(bytes, inside)
        switch cursor.peek() ?? UInt8(ascii: "]") {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            tokens = ByteSearch.count(UInt8(ascii: ","), in: bytes, inside) + 1
        case UInt8(ascii: "["):
            prompts = ByteSearch.count(UInt8(ascii: "["), in: bytes, inside)
            // The commas between the lists stand for the last id of each list but one.
            tokens = ByteSearch.count(UInt8(ascii: ","), in: bytes, inside) + 1
        case UInt8(ascii: "\""):
            var count = 0
            try? JSONCursor.forEachElement(bytes, range) { _ in count += 1 }
            prompts = max(1, count)
        default: break
        }
    }
}
