import NIOCore
import WireFormats

/// Copies header lines from one head to another, untouched and in order, without those that belong to one hop.
enum HeadCopy {
    /// Neighbouring lines that stay are copied as one run. `passes` decides on fields that are not hop-by-hop.
    static func lines(
        of fields: HeaderFields, in source: ByteBuffer, into target: inout ByteText, passes: (HeaderField) -> Bool
    ) {
        source.withUnsafeReadableBytes { bytes in
            // A run ends where the next line starts; the last one before the empty line.
            let end = bytes.count - 2
            var runStart: Int?
            for field in fields.all {
                let stays =
                    !field.name.isHopByHop && !fields.isNamedInConnection(field, bytes) && passes(field)
                if stays {
                    if runStart == nil { runStart = field.nameRange.lowerBound }
                } else if let start = runStart {
                    runStart = nil
                    target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<field.nameRange.lowerBound]))
                }
            }
            if let start = runStart { target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        }
    }
}
