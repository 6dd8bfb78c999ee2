/// One header line in place: offsets into the bytes of its head.
package struct HeaderField: Sendable, Equatable {
    package var name: FieldName
    private var nameStart: UInt32
    private var nameEnd: UInt32
    private var valueStart: UInt32
    private var valueEnd: UInt32

    init(name: FieldName, nameRange: Range<Int>, valueRange: Range<Int>) {
        self.name = name
        nameStart = UInt32(truncatingIfNeeded: nameRange.lowerBound)
        nameEnd = UInt32(truncatingIfNeeded: nameRange.upperBound)
        valueStart = UInt32(truncatingIfNeeded: valueRange.lowerBound)
        valueEnd = UInt32(truncatingIfNeeded: valueRange.upperBound)
    }

    package var nameRange: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    /// Without the white space around it.
    package var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

/// The header lines of one head and what they say about its framing. Shared by requests and responses.
package struct HeaderFields: Sendable, Equatable {
    package private(set) var all: [HeaderField] = []
    package private(set) var contentLength: Int?
    package private(set) var isChunked = false
    package private(set) var saysClose = false
    package private(set) var saysKeepAlive = false
    /// Where `Connection` lines name other headers: few, because every header is compared with each of them.
    private var connectionOptions: [Range<Int>] = []
    private(set) var hosts = 0
    private(set) var host: HeaderField?
    private(set) var expectation: HeaderField?

    mutating func reset() {
        all.removeAll(keepingCapacity: true)
        contentLength = nil
        isChunked = false
        saysClose = false
        saysKeepAlive = false
        if !connectionOptions.isEmpty { connectionOptions.removeAll(keepingCapacity: true) }
        hosts = 0
        host = nil
        expectation = nil
    }

    package func first(_ name: FieldName) -> HeaderField? {
        for field in all where field.name == name { return field }
        return nil
    }

    /// Takes one line, without its CRLF. Nil when it is well formed and within the limits.
    mutating func add(_ bytes: UnsafeRawBufferPointer, line: Range<Int>, limits: HTTPLimits) -> HTTPRefusal? {
        if all.count >= limits.fieldCount { return .tooManyFields }
        var index = line.lowerBound
        if bytes[index] == 0x20 || bytes[index] == 0x09 { return .obsoleteFolding }
        while index < line.upperBound, ByteScan.isToken(bytes[index]) { index &+= 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == 0x3a else { return .badFieldName }
        let nameRange = line.lowerBound..<index
        let raw = (index &+ 1)..<line.upperBound
        guard ByteScan.isFieldValue(bytes, raw) else { return .badFieldValue }
        let value = ByteScan.trimmed(bytes, raw)
        let name = FieldName.recognise(bytes, nameRange)
        let field = HeaderField(name: name, nameRange: nameRange, valueRange: value)
        all.append(field)
        return note(field, bytes, limits)
    }

    private mutating func note(
        _ field: HeaderField, _ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits
    ) -> HTTPRefusal? {
        let value = field.valueRange
        switch field.name {
        case .contentLength:
            if isChunked { return .conflictingLengths }
            if contentLength != nil { return .duplicateContentLength }
            guard let length = HeaderFields.decimal(bytes, value) else { return .badContentLength }
            contentLength = length
        case .transferEncoding:
            if contentLength != nil { return .conflictingLengths }
            guard !isChunked, ByteScan.equals(bytes, value, lowercased: "chunked") else { return .badTransferCoding }
            isChunked = true
        case .connection:
            noteConnection(bytes, value, limit: limits.connectionOptions)
            if connectionOptions.count > limits.connectionOptions { return .tooManyConnectionOptions }
        case .host:
            hosts &+= 1
            host = field
        case .expect: expectation = field
        default: break
        }
        return nil
    }

    private mutating func noteConnection(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>, limit: Int) {
        HeaderFields.eachItem(bytes, value) { item in
            if ByteScan.equals(bytes, item, lowercased: "close") {
                saysClose = true
            } else if ByteScan.equals(bytes, item, lowercased: "keep-alive") {
                saysKeepAlive = true
            } else if connectionOptions.count <= limit {
                connectionOptions.append(item)
            }
        }
    }

    /// True when a `Connection` header names this field, so that it must not be passed on (RFC 9110 §7.6.1).
    package func isNamedInConnection(_ field: HeaderField, _ bytes: UnsafeRawBufferPointer) -> Bool {
        for option in connectionOptions where option.count == field.nameRange.count {
            let pairs = zip(option, field.nameRange)
            if pairs.allSatisfy({ ByteScan.lowercase(bytes[$0]) == ByteScan.lowercase(bytes[$1]) }) { return true }
        }
        return false
    }

    /// The items of a comma-separated list, trimmed, empty ones left out.
    static func eachItem(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = value.lowerBound
        var index = value.lowerBound
        while index <= value.upperBound {
            if index == value.upperBound || bytes[index] == 0x2c {
                let item = ByteScan.trimmed(bytes, start..<index)
                if !item.isEmpty { body(item) }
                start = index &+ 1
            }
            index &+= 1
        }
    }

    /// 1 to 18 decimal digits and nothing else: no sign, no list, no overflow.
    static func decimal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard (1...18).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            guard ByteScan.isDigit(bytes[index]) else { return nil }
            number = number &* 10 &+ Int(bytes[index] &- 0x30)
        }
        return number
    }
}
