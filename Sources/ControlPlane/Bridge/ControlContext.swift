import DataPlane
package import Hummingbird
package import Logging

/// What a route knows about its request beyond head and body.
///
/// Made without a channel: the connection belongs to `DataPlane`.
package struct ControlContext: RequestContext {
    package struct Source: RequestContextSource {
        package let logger: Logger
        let identity: Identity
        let requestID: String
        let contentLength: Int?
    }

    package var coreContext: CoreRequestContextStorage
    let identity: Identity
    let requestID: String
    /// Nil when the body is chunked.
    let contentLength: Int?

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        identity = source.identity
        requestID = source.requestID
        contentLength = source.contentLength
    }

    var tenant: String { identity.tenant }

    /// A captured part of the path, decoded. 404 where its escapes are broken: no id is spelled so.
    func pathPart(_ name: String) throws(Failure) -> String {
        guard let text = parameters.get(name).flatMap({ PercentEncoding.decode($0) }), !text.isEmpty else {
            throw .notFound("There is nothing under this path.")
        }
        return text
    }
}
