/// Receives the events of one stream.
package protocol EventSink {
    /// One event's data, lines joined by LF; valid during the call only. `isErrorNamed`: its `event` field is `error`.
    mutating func event(_ data: UnsafeRawBufferPointer, isErrorNamed: Bool)
    /// An event over the size limit was passed over.
    mutating func oversizedEvent()
}

/// Cuts a server-sent event stream (WHATWG HTML §9.2) into events, whatever the pieces it comes in.
///
/// Lines end in LF, CR or CRLF; `data:` may be followed by one space; comments and unknown fields are passed over.
/// An event that lies whole in one piece is handed on without a copy. At most `maximumEventBytes` are kept of one
/// that does not; a longer one is not handed on, and the stream goes on with the next.
package struct EventStreamSplitter: Sendable {
    package let maximumEventBytes: Int

    /// The start of a line whose end has not come yet.
    private var partialLine: [UInt8] = []
    /// Data lines of an event whose end has not come yet.
    private var pendingData: [UInt8] = []
    private var hasPendingData = false
    private var isErrorNamed = false
    private var isLineOversized = false
    private var isEventOversized = false
    /// The last piece ended in CR: a LF at the start of the next one belongs to it.
    private var endedInCarriageReturn = false
    private var isFirstLine = true

    package init(maximumEventBytes: Int) { self.maximumEventBytes = maximumEventBytes }

    /// The next piece of the stream.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, to sink: inout some EventSink) {
        guard !bytes.isEmpty else { return }
        var start = 0
        if endedInCarriageReturn {
            endedInCarriageReturn = false
            if bytes[0] == UInt8(ascii: "\n") { start = 1 }
        }
        // Engines end lines with LF; one search tells whether this piece needs the slower rules for CR.
        if ByteSearch.first(UInt8(ascii: "\r"), in: bytes, from: start, end: bytes.count) == nil {
            while let end = ByteSearch.first(UInt8(ascii: "\n"), in: bytes, from: start, end: bytes.count) {
                let eventEnds = end + 1 < bytes.count && bytes[end + 1] == UInt8(ascii: "\n")
                endLine(bytes, start..<end, eventEnds: eventEnds, to: &sink)
                start = end + 1
            }
        } else {
            start = feedWithCarriageReturns(bytes, from: start, to: &sink)
        }
        if start < bytes.count { keep(bytes, start..<bytes.count) }
    }

    /// The stream ended. An event without its closing blank line is handed on too.
    package mutating func finish(to sink: inout some EventSink) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        if !partialLine.isEmpty || isLineOversized { endLine(nothing, 0..<0, eventEnds: false, to: &sink) }
        endEvent(to: &sink)
    }

    /// Handles every whole line from `from` on; where the rest starts.
    private mutating func feedWithCarriageReturns(
        _ bytes: UnsafeRawBufferPointer, from: Int, to sink: inout some EventSink
    ) -> Int {
        var start = from
        var index = from
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
                index += 1
                continue
            }
            endLine(bytes, start..<index, eventEnds: false, to: &sink)
            index += 1
            if byte == UInt8(ascii: "\r") {
                if index == bytes.count {
                    endedInCarriageReturn = true
                } else if bytes[index] == UInt8(ascii: "\n") {
                    index += 1
                }
            }
            start = index
        }
        return start
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard !isLineOversized, partialLine.count + range.count <= maximumEventBytes else {
            isLineOversized = true
            partialLine.removeAll(keepingCapacity: false)
            return
        }
        partialLine.append(contentsOf: bytes[range])
    }

    /// A line ended; its last part is `bytes[range]`. `eventEnds`: the next line is known to be empty.
    private mutating func endLine(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, eventEnds: Bool, to sink: inout some EventSink
    ) {
        if partialLine.isEmpty, !isLineOversized {
            line(bytes, range, eventEnds: eventEnds, to: &sink)
        } else {
            keep(bytes, range)
            if isLineOversized {
                isLineOversized = false
                isEventOversized = true
            } else {
                var whole: [UInt8] = []
                swap(&whole, &partialLine)
                whole.withUnsafeBytes { line($0, 0..<$0.count, eventEnds: eventEnds, to: &sink) }
                whole.removeAll(keepingCapacity: true)
                swap(&whole, &partialLine)
            }
        }
        isFirstLine = false
    }

    private mutating func line(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, eventEnds: Bool, to sink: inout some EventSink
    ) {
        var line = line
        if isFirstLine, ByteSearch.hasPrefix(bytes, line, "\u{FEFF}") { line = (line.lowerBound + 3)..<line.upperBound }
        if line.isEmpty { return endEvent(to: &sink) }
        if let data = EventStreamSplitter.value(of: "data", bytes, line) {
            if eventEnds, !hasPendingData, !isEventOversized {
                sink.event(UnsafeRawBufferPointer(rebasing: bytes[data]), isErrorNamed: isErrorNamed)
            } else {
                hold(bytes, data)
            }
        } else if let name = EventStreamSplitter.value(of: "event", bytes, line) {
            isErrorNamed = ByteSearch.equal(bytes, name, "error")
        }
    }

    private mutating func hold(_ bytes: UnsafeRawBufferPointer, _ data: Range<Int>) {
        guard !isEventOversized, pendingData.count + data.count + 1 <= maximumEventBytes else {
            isEventOversized = true
            return
        }
        if hasPendingData { pendingData.append(UInt8(ascii: "\n")) }
        hasPendingData = true
        pendingData.append(contentsOf: bytes[data])
    }

    private mutating func endEvent(to sink: inout some EventSink) {
        if isEventOversized {
            sink.oversizedEvent()
        } else if hasPendingData {
            pendingData.withUnsafeBytes { sink.event($0, isErrorNamed: isErrorNamed) }
        }
        if hasPendingData { pendingData.removeAll(keepingCapacity: true) }
        hasPendingData = false
        isEventOversized = false
        isErrorNamed = false
    }

    /// The value of the field if the line is of this field: after the colon and one space, or empty without a colon.
    @inline(__always)
    private static func value(
        of field: StaticString, _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
    ) -> Range<Int>? {
        guard ByteSearch.hasPrefix(bytes, line, field) else { return nil }
        var start = line.lowerBound + field.utf8CodeUnitCount
        guard start < line.upperBound else { return start..<start }
        guard bytes[start] == UInt8(ascii: ":") else { return nil }
        start += 1
        if start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
        return start..<line.upperBound
    }
}
