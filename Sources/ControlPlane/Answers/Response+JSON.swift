import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    init(json: JSON, status: HTTPResponse.Status = .ok) {
        self.init(text: json.text, type: "application/json", status: status)
    }

    /// A whole body at once. Never cached: everything served here is state.
    init(text: String, type: String, status: HTTPResponse.Status = .ok) {
        let headers: HTTPFields = [
            .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
        ]
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
