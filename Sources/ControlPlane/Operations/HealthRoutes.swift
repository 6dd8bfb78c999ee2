import HTTPTypes
import Hummingbird
import JobStores
import SchedulerRuntime
import WireFormats

/// What probes, scrapers and people ask first: none of it needs a key.
struct HealthRoutes: Sendable {
    let console: any FleetConsole
    let build: BuildInfo

    func add(to routes: RouteTable) {
        routes.on(.get, "/livez") { _, _ in
            // Answering is the proof.
            Response(bytes: #"{"status":"ok"}"#.utf8, type: "application/json")
        }
        routes.on(.get, "/readyz", ready)
        routes.on(.get, "/metrics") { _, _ in
            Response(bytes: console.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        routes.on(.get, "/version", version)
    }

    /// Ready means: real-time traffic may come. The store's health is told, and never makes the gateway unready.
    @Sendable private func ready(_ request: Request, _ context: ControlContext) async throws -> Response {
        let report = console.readiness
        var json = JSONText()
        json.object {
            $0.member("ready", report.isReady)
            $0.member("listener", report.isListening)
            $0.member("first_scrape_round", report.isFirstRoundTried)
            $0.member("draining", report.isDraining)
            $0.object("store") {
                $0.member("ok", report.storeFault == nil)
                $0.member("reason", report.storeFault)
            }
        }
        return Response(json: json, status: report.isReady ? .ok : .serviceUnavailable)
    }

    @Sendable private func version(_ request: Request, _ context: ControlContext) async throws -> Response {
        var json = JSONText()
        json.object {
            $0.member("name", "neap")
            $0.member("version", build.version)
            $0.member("commit", build.commit)
        }
        return Response(json: json)
    }
}
