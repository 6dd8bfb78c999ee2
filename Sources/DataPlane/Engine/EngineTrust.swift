package import NIOSSL
package import SchedulerRuntime

/// TLS towards `https://` engines: certificates are always verified.
package enum EngineTrust {
    package static func context(_ tls: EngineTLS) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.engine(tls)
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
