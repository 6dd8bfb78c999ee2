import HTTPTypes
import Hummingbird

/// The routes of the control plane. Every path answers 405 with `Allow` to the methods it does not have.
final class RouteTable {
    typealias Handler = @Sendable (Request, ControlContext) async throws -> Response

    private let router = Router(context: ControlContext.self, options: .autoGenerateHeadEndpoints)
    /// In order of registration, so that `Allow` reads the same in every process.
    private var methods: [(path: String, methods: [HTTPRequest.Method])] = []
    private static let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    init() { router.add(middleware: FailureRendering()) }

    func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        router.on(RouterPath(path), method: method, use: handler)
        if let index = methods.firstIndex(where: { $0.path == path }) {
            methods[index].methods.append(method)
        } else {
            methods.append((path, [method]))
        }
    }

    /// Adds the 405 answers and closes the table.
    func makeResponder() -> RouterResponder<ControlContext> {
        for entry in methods {
            let allowed = entry.methods + (entry.methods.contains(.get) ? [.head] : [])
            for method in RouteTable.known where !allowed.contains(method) {
                router.on(RouterPath(entry.path), method: method) { request, _ -> Response in
                    throw Failure.methodNotAllowed(request.method.rawValue, allowed: allowed)
                }
            }
        }
        return router.buildResponder()
    }
}
