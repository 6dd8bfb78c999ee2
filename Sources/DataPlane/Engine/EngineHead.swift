import NIOCore
import WireFormats

/// A response head with the bytes that its offsets point into.
struct EngineHead {
    let head: ResponseHead
    let bytes: ByteBuffer

    /// `Retry-After` in whole seconds; the date form is not read.
    var retryAfter: Duration? {
        guard let field = head.fields.first(.retryAfter), field.valueRange.count <= 6,
            let text = bytes.getString(
                at: bytes.readerIndex + field.valueRange.lowerBound, length: field.valueRange.count),
            let seconds = Int(text), seconds >= 0
        else { return nil }
        return .seconds(seconds)
    }
}
