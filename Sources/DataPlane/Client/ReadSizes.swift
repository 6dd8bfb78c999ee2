import NIOCore

/// How large the next read of a client's socket should be, as far as its connection knows. Touched on its loop only.
// Safe because the channel and its handler, which share it, are on one event loop.
final class ReadHint: @unchecked Sendable {
    /// Bytes of a request body that are still to come; 0: not known, or none.
    var bytes = 0
}

/// Chooses the buffers for reads of a client's socket.
///
/// A channel keeps one buffer for as long as it lives and reads into it again when nobody holds it any more. That is
/// right for heads and small bodies; a large body would leave its connection, idle or streaming, with as large a buffer
/// for ever. So a large read gets a fresh one, which is freed with the body and serves another connection next, while
/// it is still in the processor's cache.
struct ReadSizes: RecvByteBufferAllocator {
    /// The first read of a connection, and the least.
    static let smallest = 2_048
    /// Kept buffers have at most this size.
    static let largestKept = 4_096
    /// The largest read.
    static let largest = 65_536

    private let hint: ReadHint
    /// What recent reads suggest: doubled when a read fills it, halved when two in a row use half of it or less.
    private var size = ReadSizes.smallest
    private var wasTooLarge = false

    init(hint: ReadHint) { self.hint = hint }

    private var next: Int { min(max(size, hint.bytes), ReadSizes.largest) }

    /// Nil: the channel asks for a fresh buffer and does not keep it.
    func nextBufferSize() -> Int? {
        let next = next
        return next <= ReadSizes.largestKept ? next : nil
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: next) }

    /// Always true: else a channel that is given no size reads into the buffer that it keeps.
    mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= size {
            while size < ReadSizes.largest, size <= actualReadBytes { size *= 2 }
            wasTooLarge = false
        } else if actualReadBytes <= size / 2, size > ReadSizes.smallest {
            if wasTooLarge { size /= 2 }
            wasTooLarge.toggle()
        } else {
            wasTooLarge = false
        }
        return true
    }
}
