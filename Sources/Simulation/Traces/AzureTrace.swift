/// The Azure LLM inference traces of 2023: `TIMESTAMP,ContextTokens,GeneratedTokens`, one row for each request.
package enum AzureTrace {
    static let header = "TIMESTAMP,ContextTokens,GeneratedTokens"

    package static func parse(_ bytes: [UInt8], file: String) throws(TraceFault) -> Trace {
        var requests: [TraceRequest] = []
        var number = 0
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let row = row.last == UInt8(ascii: "\r") ? row.dropLast() : row
            if number == 1 {
                guard Array(row) == Array(header.utf8) else {
                    throw TraceFault(file: file, line: 1, message: "the first line must be \(header)")
                }
                continue
            }
            if row.isEmpty { continue }
            guard let request = read(row) else {
                throw TraceFault(
                    file: file, line: number,
                    message: "expected YYYY-MM-DD HH:MM:SS.fraction,prompt tokens,output tokens")
            }
            requests.append(request)
        }
        guard !requests.isEmpty else { throw TraceFault(file: file, line: 0, message: "no request in it") }
        return Trace(requests)
    }

    private static func read(_ row: ArraySlice<UInt8>) -> TraceRequest? {
        var cursor = RowCursor(row)
        guard let arrival = timestamp(&cursor), cursor.skip(","), let prompt = cursor.number(), cursor.skip(","),
            let output = cursor.number(), cursor.isAtEnd,
            (1...TraceRequest.mostTokens).contains(prompt), output <= TraceRequest.mostTokens
        else { return nil }
        return TraceRequest(arrival: arrival, promptTokens: prompt, outputTokens: output)
    }

    /// Nanoseconds since 1970, as if the time zone were UTC.
    private static func timestamp(_ cursor: inout RowCursor) -> Int64? {
        guard let year = cursor.number(digits: 4), cursor.skip("-"), let month = cursor.number(digits: 2),
            cursor.skip("-"), let day = cursor.number(digits: 2), cursor.skip(" "),
            let hour = cursor.number(digits: 2), cursor.skip(":"), let minute = cursor.number(digits: 2),
            cursor.skip(":"), let second = cursor.number(digits: 2),
            (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        let fraction = cursor.skip(".") ? cursor.nanoseconds() : 0
        guard let fraction else { return nil }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        return Int64(seconds) * 1_000_000_000 + fraction
    }

    /// Days since 1970-01-01 in the Gregorian calendar; the year is taken to begin in March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
