/// How long a batch may take, as clients write it: `24h`, or whole hours, minutes and seconds such as `1h30m`.
enum CompletionWindow {
    /// Nil for anything else, also for zero and for what does not fit.
    static func parse(_ text: String) -> Duration? {
        var total: Int64 = 0
        var number: Int64?
        // Each unit once, largest first, so that no two spellings can be mistaken for each other.
        var units: [(UInt8, Int64)] = [(UInt8(ascii: "h"), 3_600), (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1)]
        guard text.utf8.count <= 24 else { return nil }
        for byte in text.utf8 {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                let next = (number ?? 0).multipliedReportingOverflow(by: 10)
                let digit = next.partialValue.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
                if next.overflow || digit.overflow { return nil }
                number = digit.partialValue
                continue
            }
            guard let count = number, let index = units.firstIndex(where: { $0.0 == byte }) else { return nil }
            let scaled = count.multipliedReportingOverflow(by: units[index].1)
            let sum = total.addingReportingOverflow(scaled.partialValue)
            if scaled.overflow || sum.overflow { return nil }
            total = sum.partialValue
            number = nil
            units.removeFirst(index + 1)
        }
        return number == nil && total > 0 ? .seconds(total) : nil
    }
}
