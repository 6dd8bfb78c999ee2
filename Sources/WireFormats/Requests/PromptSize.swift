/// How many prompts a `prompt` or `input` value holds and about how many tokens they are.
struct PromptSize {
    /// A list of strings, or of lists of token ids, is one prompt each; everything else is one.
    private(set) var prompts = 1
    /// A quarter of the bytes; token ids are counted one by one, pictures and sounds within the text as a fixed sum.
    private(set) var tokens: Int

    /// A `data:` URL is an upload in base64: its bytes say little about the tokens a model makes of it.
    static let tokensPerUpload = 1_000
    /// Shorter values are not searched for uploads.
    static let searchedForUploadsBytes = 16_384

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
        default: tokens = PromptSize.tokensOfContent(bytes, range)
        }
    }

    private static func tokensOfContent(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        guard range.count >= searchedForUploadsBytes else { return range.count / 4 }
        var (uploads, uploadBytes) = (0, 0)
        var index = range.lowerBound
        while let quote = ByteSearch.first(UInt8(ascii: "\""), in: bytes, from: index, end: range.upperBound) {
            index = quote + 1
            guard ByteSearch.hasPrefix(bytes, index..<range.upperBound, "data:") else { continue }
            let end =
                ByteSearch.first(UInt8(ascii: "\""), in: bytes, from: index, end: range.upperBound) ?? range.upperBound
            uploads += 1
            uploadBytes += end - index
            index = end + 1
        }
        return (range.count - uploadBytes) / 4 + min(uploads * tokensPerUpload, uploadBytes / 4)
    }
}
