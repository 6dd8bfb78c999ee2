import HTTPTypes
import Hummingbird
import NIOCore

/// The page at `/`. It answers without a key: it holds no data.
struct PageRoutes: Sendable {
    private let document = PageDocument()

    func add(to routes: RouteTable) {
        routes.on(.get, "/", page)
        routes.on(.get, "/favicon.ico") { _, _ in
            // The page brings its own icon; browsers ask here for other addresses.
            Response(status: .noContent)
        }
    }

    @Sendable private func page(_ request: Request, _ context: ControlContext) async throws -> Response {
        var response = Response(bytes: document.html.utf8, type: "text/html; charset=utf-8")
        response.headers[.contentSecurityPolicy] = document.policy
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        return response
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = known("referrer-policy")
    fileprivate static let crossOriginOpenerPolicy = known("cross-origin-opener-policy")
}
