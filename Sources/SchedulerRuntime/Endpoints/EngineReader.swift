package import FleetTracking
package import NIOCore
package import NIOSSL
import WireFormats

/// Asks one engine the three things that the watch and `neap check` want to know.
package struct EngineReader: Sendable {
    package enum ModelsAnswer: Sendable, Equatable {
        case listed([LearnedModel])
        /// The engine has no model list (404, 405, 501).
        case absent
        case failed(String)

        var isKnown: Bool { if case .failed = self { false } else { true } }
    }

    package enum MetricsAnswer: Sendable, Equatable {
        case sampled(EngineKind, EngineSample)
        /// The engine tells no metrics that are known here: our own accounting is all there is.
        case absent(String)
        case failed(String)
    }

    package enum HealthAnswer: Sendable, Equatable {
        case healthy
        case unhealthy(String)
    }

    private let probe: EngineProbe
    private let settings: WatchSettings

    /// Throws when the endpoint's TLS settings cannot be used, such as an authority file that cannot be read.
    package init(endpoint: EndpointEntry, settings: WatchSettings, loop: any EventLoop) throws {
        let tls = try endpoint.tls.map { try NIOSSLContext(configuration: .engine($0)) }
        probe = EngineProbe(endpoint: endpoint, tls: tls, loop: loop)
        self.settings = settings
    }

    package func close() { probe.close() }

    package func models() async -> ModelsAnswer {
        switch await ask("/v1/models", settings.modelsTimeout, settings.modelsLimitBytes) {
        case .failure(let failure): .failed(failure.text)
        case .success(let answer):
            switch answer.status {
            case 200: EngineReader.models(in: answer.body)
            case 404, 405, 501: .absent
            default: .failed("status \(answer.status)")
            }
        }
    }

    /// The sample is stamped with the time before the request was sent: it speaks of no later moment.
    package func metrics(clock: MonotonicClock) async -> MetricsAnswer {
        let takenAt = clock.now()
        switch await ask("/metrics", settings.scrapeTimeout, settings.metricsLimitBytes) {
        case .failure(let failure): return .failed(failure.text)
        case .success(let answer):
            switch answer.status {
            case 200: return EngineReader.sample(in: answer.body, takenAt: takenAt)
            case 404, 405, 501: return .absent("status \(answer.status)")
            default: return .failed("status \(answer.status)")
            }
        }
    }

    /// A server without `/health` is well when it answers; 5xx is what engines say while they load or when they died.
    package func health() async -> HealthAnswer {
        switch await ask("/health", settings.healthTimeout, settings.healthLimitBytes) {
        case .failure(let failure): .unhealthy(failure.text)
        case .success(let answer) where answer.status >= 500: .unhealthy("status \(answer.status)")
        case .success: .healthy
        }
    }

    private func ask(
        _ path: String, _ timeout: Duration, _ limitBytes: Int
    ) async -> Result<ProbeAnswer, ProbeFailure> {
        do throws(ProbeFailure) {
            return .success(try await probe.get(path, timeout: timeout, limitBytes: limitBytes))
        } catch {
            return .failure(error)
        }
    }
}

extension TLSConfiguration {
    /// The client side towards an engine: TLS 1.2 or later, the named authorities or the system's, names checked.
    package static func engine(_ tls: EngineTLS) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let file = tls.authorityFile { configuration.trustRoots = .file(file) }
        return configuration
    }
}
