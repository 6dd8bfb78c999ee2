import Glibc
import Logging
import NIOSSL
import Synchronization

/// The listener's certificate in force. Changed files are taken for new connections; unusable ones leave the old.
final class CertificateHolder: Sendable {
    private struct State {
        var context: NIOSSLContext
        var seen: [Stamp]
    }

    /// What tells that a file was changed or replaced.
    private struct Stamp: Equatable {
        var seconds = 0
        var nanoseconds = 0
        var size = 0
        var inode: UInt64 = 0
    }

    private let files: ListenerTLS
    private let logger: Logger
    private let state: Mutex<State>

    init(_ files: ListenerTLS, logger: Logger) throws {
        self.files = files
        self.logger = logger
        let seen = CertificateHolder.stamps(files)
        state = Mutex(State(context: try CertificateHolder.load(files), seen: seen))
    }

    var context: NIOSSLContext { state.withLock { $0.context } }

    func reloadIfChanged() {
        let stamps = CertificateHolder.stamps(files)
        let isChanged = state.withLock { state in
            defer { state.seen = stamps }
            return state.seen != stamps
        }
        guard isChanged else { return }
        do {
            let context = try CertificateHolder.load(files)
            state.withLock { $0.context = context }
            logger.info("certificate reloaded", metadata: ["file": "\(files.certificateFile)"])
        } catch {
            logger.error(
                "certificate not usable: the old one stays in force",
                metadata: ["file": "\(files.certificateFile)", "problem": "\(error)"])
        }
    }

    private static func load(_ files: ListenerTLS) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificateFile).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: files.keyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func stamps(_ files: ListenerTLS) -> [Stamp] {
        [files.certificateFile, files.keyFile].map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return Stamp() }
            return Stamp(
                seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec),
                size: Int(status.st_size), inode: UInt64(status.st_ino))
        }
    }
}
