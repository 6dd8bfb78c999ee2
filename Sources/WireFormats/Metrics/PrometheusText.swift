/// Reads Prometheus text exposition (format 0.0.4, and what OpenMetrics shares with it). Tolerant: a line that is
/// no sample is passed over.
package enum PrometheusText {
    /// Limits of one page.
    package struct Limits: Sendable, Equatable {
        /// Bytes past this are not looked at.
        package var maximumBytes: Int
        /// Lines longer than this are passed over.
        package var maximumLineBytes: Int
        /// Samples past this are not looked at.
        package var maximumSamples: Int

        package init(
            maximumBytes: Int = 16_777_216, maximumLineBytes: Int = 65_536, maximumSamples: Int = 200_000
        ) {
            self.maximumBytes = maximumBytes
            self.maximumLineBytes = maximumLineBytes
            self.maximumSamples = maximumSamples
        }
    }

    /// Calls `visit` for each sample whose name begins with one of `prefixes` (all samples when there are none).
    ///
    /// Lines of other names cost one search for their end. The sample is valid during the call only.
    /// - Returns: the number of samples visited.
    @discardableResult
    package static func forEachSample(
        in page: UnsafeRawBufferPointer, prefixes: [StaticString] = [], limits: Limits = Limits(),
        _ visit: (PrometheusSample) -> Void
    ) -> Int {
        let end = min(page.count, limits.maximumBytes)
        var start = 0
        var visited = 0
        while start < end, visited < limits.maximumSamples {
            let lineEnd = ByteSearch.first(UInt8(ascii: "\n"), in: page, from: start, end: end) ?? end
            let line = start..<lineEnd
            start = lineEnd + 1
            guard line.count <= limits.maximumLineBytes, isWanted(page, line, prefixes) else { continue }
            guard let sample = sample(page, line) else { continue }
            visit(sample)
            visited += 1
        }
        return visited
    }

    @inline(__always)
    private static func isWanted(
        _ page: UnsafeRawBufferPointer, _ line: Range<Int>, _ prefixes: [StaticString]
    ) -> Bool {
        if line.isEmpty || page[line.lowerBound] == UInt8(ascii: "#") { return false }
        if prefixes.isEmpty { return true }
        for prefix in prefixes {
            // Engines' names share their first letters: the last letter of the prefix settles most lines.
            let last = prefix.utf8CodeUnitCount - 1
            guard last >= 0, last < line.count, page[line.lowerBound + last] == prefix.utf8Start[last] else { continue }
            if ByteSearch.hasPrefix(page, line, prefix) { return true }
        }
        return false
    }

    /// `name{label="value",…} value [timestamp]`; nil when the line is not of that form.
    private static func sample(_ page: UnsafeRawBufferPointer, _ line: Range<Int>) -> PrometheusSample? {
        var index = skipSpace(page, line)
        let nameStart = index
        while index < line.upperBound, isNameByte(page[index]) { index += 1 }
        let name = nameStart..<index
        guard !name.isEmpty, !(page[nameStart] >= 0x30 && page[nameStart] <= 0x39) else { return nil }
        index = skipSpace(page, index..<line.upperBound)
        var labels = index..<index
        if index < line.upperBound, page[index] == UInt8(ascii: "{") {
            guard let close = closingBrace(page, (index + 1)..<line.upperBound) else { return nil }
            labels = (index + 1)..<close
            index = close + 1
        }
        index = skipSpace(page, index..<line.upperBound)
        let valueStart = index
        while index < line.upperBound, page[index] > 0x20 { index += 1 }
        guard let value = number(page, valueStart..<index) else { return nil }
        return PrometheusSample(page: page, nameRange: name, labelRange: labels, value: value)
    }

    private static func skipSpace(_ page: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, page[index] == 0x20 || page[index] == 0x09 { index += 1 }
        return index
    }

    /// The closing brace outside of label values, which may hold braces.
    private static func closingBrace(_ page: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            switch page[index] {
            case UInt8(ascii: "}"): return index
            case UInt8(ascii: "\""):
                let close = PrometheusSample.closingQuote(page, from: index + 1, end: range.upperBound)
                guard let close else { return nil }
                index = close + 1
            default: index += 1
            }
        }
        return nil
    }

    /// Go's `ParseFloat` forms that occur: decimals, exponents, `NaN`, `Inf`, `+Inf`, `-Inf`.
    private static func number(_ page: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double? {
        guard !range.isEmpty, range.count <= 64 else { return nil }
        if let whole = JSONScalar.shortInteger(page, range) { return Double(whole) }
        return Double(String(decoding: UnsafeRawBufferPointer(rebasing: page[range]), as: UTF8.self))
    }

    @inline(__always)
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
            return true
        default: return false
        }
    }
}
