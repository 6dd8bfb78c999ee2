import HTTPTypes
import Hummingbird
import NIOCore
import WireFormats

extension Response {
    init(json: JSONText, status: HTTPResponse.Status = .ok) {
        self.init(bytes: json.bytes, type: "application/json", status: status)
    }

    /// A whole body at once. Never cached: everything served here is state.
    init(bytes: some Sequence<UInt8>, type: String, status: HTTPResponse.Status = .ok) {
        let headers: HTTPFields = [.contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff"]
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
