import DataPlane
import HTTPTypes
import Hummingbird
import JobStores
import Logging

/// Turns what a route throws into an answer in OpenAI's shape. The outermost middleware.
///
/// Failures of the connection and cancellation pass through: there is nobody left to answer.
struct FailureRendering: RouterMiddleware {
    typealias Context = ControlContext

    func handle(
        _ request: Request, context: ControlContext,
        next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as Failure {
            return failure.response
        } catch let failure as StoreFailure {
            return Failure(failure).response
        } catch let error as HTTPError where error.status == .notFound {
            return Failure.notFound("There is no \(request.method.rawValue) \(request.uri.path) here.").response
        } catch let error as HTTPError {
            return Failure(status: error.status, kind: "invalid_request_error", message: error.body ?? "Bad request.")
                .response
        } catch let error as BodyReadFailure {
            throw error.cause
        } catch let error as CancellationError {
            throw error
        } catch {
            context.logger.error(
                "control route failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Failure.internalError.response
        }
    }
}
