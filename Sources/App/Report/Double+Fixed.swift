extension Double {
    /// With so many digits after the point; "0" when it is no number.
    func fixed(_ digits: Int) -> String {
        guard isFinite else { return "0" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((Swift.min(1e15, Swift.max(-1e15, self)) * scale).rounded())
        guard digits > 0 else { return "\(whole)" }
        let text = String(whole.magnitude)
        let padded = String(repeating: "0", count: Swift.max(0, digits + 1 - text.count)) + text
        return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    /// Without zeros at the end, at most three digits after the point.
    var short: String {
        var text = fixed(3)[...]
        while text.contains("."), text.hasSuffix("0") { text = text.dropLast() }
        return String(text.hasSuffix(".") ? text.dropLast() : text)
    }
}
