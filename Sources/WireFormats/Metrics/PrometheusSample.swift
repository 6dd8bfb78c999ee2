/// One sample line of a Prometheus page, as ranges of the page. Valid only while the page's bytes are.
package struct PrometheusSample {
    let page: UnsafeRawBufferPointer
    let nameRange: Range<Int>
    /// Between the braces; empty when there are none.
    let labelRange: Range<Int>
    package let value: Double

    @inline(__always)
    package func isNamed(_ name: StaticString) -> Bool { ByteSearch.equal(page, nameRange, name) }

    package var name: String { text(nameRange) }

    /// The value of one label without escapes; nil when the sample has no such label.
    package func label(_ name: StaticString) -> String? {
        var found: String?
        forEachLabel { label, value in
            if found == nil, ByteSearch.equal(page, label, name) { found = PrometheusSample.unescape(page, value) }
        }
        return found
    }

    /// All labels in page order.
    package var labels: [(name: String, value: String)] {
        var all: [(name: String, value: String)] = []
        forEachLabel { label, value in all.append((text(label), PrometheusSample.unescape(page, value))) }
        return all
    }

    /// Ranges of each label's name and of its value between the quotes. Stops at the first fault.
    private func forEachLabel(_ visit: (Range<Int>, Range<Int>) -> Void) {
        var index = labelRange.lowerBound
        let end = labelRange.upperBound
        while index < end {
            while index < end, page[index] == UInt8(ascii: ",") || page[index] <= 0x20 { index += 1 }
            let nameStart = index
            guard let equals = ByteSearch.first(UInt8(ascii: "="), in: page, from: index, end: end) else { return }
            var nameEnd = equals
            while nameEnd > nameStart, page[nameEnd - 1] <= 0x20 { nameEnd -= 1 }
            index = equals + 1
            while index < end, page[index] <= 0x20 { index += 1 }
            guard index < end, page[index] == UInt8(ascii: "\"") else { return }
            guard let close = PrometheusSample.closingQuote(page, from: index + 1, end: end) else { return }
            visit(nameStart..<nameEnd, (index + 1)..<close)
            index = close + 1
        }
    }

    /// The quote that ends a label value which starts at `from`.
    static func closingQuote(_ page: UnsafeRawBufferPointer, from: Int, end: Int) -> Int? {
        var index = from
        while index < end {
            if page[index] == UInt8(ascii: "\\") {
                index += 2
            } else if page[index] == UInt8(ascii: "\"") {
                return index
            } else {
                index += 1
            }
        }
        return nil
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: page[range]), as: UTF8.self)
    }

    /// `\\`, `\"` and `\n` are the escapes of a label value; others stay as they are.
    private static func unescape(_ page: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = page[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < range.upperBound else {
                text.append(byte)
                continue
            }
            let escaped = page[index]
            index += 1
            switch escaped {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): text.append(escaped)
            case UInt8(ascii: "n"): text.append(0x0A)
            default: text.append(contentsOf: [byte, escaped])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
