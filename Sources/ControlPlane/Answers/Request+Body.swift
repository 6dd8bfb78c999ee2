import HTTPTypes
import Hummingbird
import NIOCore
import WireFormats

extension Request {
    /// The body as a JSON object. 415 for another media type, 413 over `limit` bytes, 400 for anything but one object.
    func jsonObject(limit: Int, context: ControlContext) async throws -> JSONValue {
        let type = headers[.contentType].flatMap { HeaderParameters($0) }?.value.lowercased()
        guard type == "application/json" else { throw Failure.unsupportedMediaType("application/json") }
        let tooLarge = Failure.tooLarge("The body is longer than \(limit) bytes.")
        if let length = context.contentLength, length > limit { throw tooLarge }
        var bytes: [UInt8] = []
        for try await piece in body {
            if bytes.count + piece.readableBytes > limit { throw tooLarge }
            bytes += piece.readableBytesView
        }
        let value: JSONValue
        do throws(ScanFailure) {
            value = try JSONValue.parse(bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw Failure.badRequest(error.message, code: error.code.rawValue)
        }
        guard value.members != nil else { throw Failure.badRequest("The body must be a JSON object.") }
        return value
    }

    func query() throws(Failure) -> Query {
        guard let query = Query(uri.query) else {
            throw .badRequest("The query has a broken escape or is not UTF-8.")
        }
        return query
    }
}
