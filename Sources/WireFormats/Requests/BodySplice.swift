/// A body with some bytes of its own in between: send `before`, `inserted`, `after`. Ranges are of the client's body.
package struct BodySplice: Sendable, Equatable {
    package var before: Range<Int>
    package var inserted: [UInt8]
    package var after: Range<Int>

    /// The length of the new body.
    package var count: Int { before.count + inserted.count + after.count }

    /// The new body. `body` is the one that was scanned.
    package func apply(to body: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        bytes.append(contentsOf: body[before])
        bytes.append(contentsOf: inserted)
        bytes.append(contentsOf: body[after])
        return bytes
    }
}
