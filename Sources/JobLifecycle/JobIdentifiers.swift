/// A batch as clients name it, such as `batch_…`. Random, never reused.
package struct BatchID: Hashable, Sendable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// A stored file as clients name it, such as `file-…`. Random, never reused.
package struct FileID: Hashable, Sendable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// One line of one batch inside a store: the store's serial of the batch and the line's index, in one integer.
///
/// All lines of a batch are one range of raw values, in file order.
package struct JobID: Hashable, Comparable, Sendable {
    package var rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }

    package init(batchSerial: Int64, line: Int) {
        precondition(line >= 0 && line < JobID.maximumLines, "line \(line) out of range")
        precondition(batchSerial > 0 && batchSerial <= Int64.max >> 24, "batch serial \(batchSerial) out of range")
        rawValue = batchSerial << 24 | Int64(line)
    }

    /// The most lines any batch may have, whatever the settings say: the line index has 24 bits.
    package static let maximumLines = 1 << 24

    package var batchSerial: Int64 { rawValue >> 24 }
    /// Counts from 0, in the order of the input file.
    package var line: Int { Int(rawValue & 0xff_ffff) }

    package static func < (left: JobID, right: JobID) -> Bool { left.rawValue < right.rawValue }
}

/// A fencing token: names one claim of one job by one process life. A result that carries another token than the
/// job's row is refused.
package struct LeaseToken: Hashable, Sendable {
    package var rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// `epoch` counts the starts of the store's owner; `serial` counts its claims.
    package init(epoch: Int64, serial: Int64) {
        precondition(epoch > 0 && epoch < 1 << 23, "epoch \(epoch) out of range")
        rawValue = epoch << 40 | (serial & 0xff_ffff_ffff)
    }

    package var epoch: Int64 { rawValue >> 40 }
}
