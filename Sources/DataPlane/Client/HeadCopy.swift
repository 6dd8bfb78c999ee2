import NIOCore
import WireFormats

/// Copies header lines from one head to another, untouched and in order, without those that belong to one hop.
enum HeadCopy {
    /// Neighbouring lines that stay are copied as one run. `passes` decides on fields that are not hop-by-hop.
    static func lines(
        of fields: HeaderFields, in source: ByteBuffer, into target: inout ByteBuffer, passes: (HeaderField) -> Bool
    ) {
        source.withUnsafeReadableBytes { bytes in
            // A run ends where the next line starts; the last one before the empty line.
            let end = bytes.count - 2
            var runStart: Int?
            func close(_ at: Int) {
                guard let start = runStart else { return }
                runStart = nil
                target.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
            }
            for field in fields.all {
                let stays =
                    !field.name.isHopByHop && !fields.isNamedInConnection(field, bytes) && passes(field)
                if stays {
                    if runStart == nil { runStart = field.nameRange.lowerBound }
                } else {
                    close(field.nameRange.lowerBound)
                }
            }
            close(end)
        }
    }
}
