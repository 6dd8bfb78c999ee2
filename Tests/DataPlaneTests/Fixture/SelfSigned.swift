import Crypto
import Foundation

/// A self-signed certificate for 127.0.0.1 with its key, made for one test and written as PEM files.
struct SelfSigned {
    let directory: URL
    var certificateFile: String { directory.appendingPathComponent("cert.pem").path }
    var keyFile: String { directory.appendingPathComponent("key.pem").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("neap-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try renew()
    }

    /// Another key and certificate in the same files.
    func renew() throws {
        let key = P256.Signing.PrivateKey()
        let certificate = try SelfSigned.certificate(key)
        let text = certificate.base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        try "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
            .write(toFile: certificateFile, atomically: true, encoding: .utf8)
        try key.pemRepresentation.write(toFile: keyFile, atomically: true, encoding: .utf8)
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    /// DER of RFC 5280 §4.1, just as much of it as TLS libraries ask for.
    private static func certificate(_ key: P256.Signing.PrivateKey) throws -> Data {
        let algorithm = sequence(identifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
        let name = sequence(node(0x31, sequence(identifier([0x55, 0x04, 0x03]) + node(0x0c, Data("neap test".utf8)))))
        let validity = sequence(node(0x18, Data("20200101000000Z".utf8)) + node(0x18, Data("21200101000000Z".utf8)))
        let address = node(0x30, node(0x87, Data([127, 0, 0, 1])))
        let alternative = sequence(identifier([0x55, 0x1d, 0x11]) + node(0x04, address))
        let serial = node(0x02, Data([0x01] + (0..<8).map { _ in UInt8.random(in: 0...255) }))
        let body = sequence(
            node(0xa0, node(0x02, Data([2]))) + serial + algorithm + name + validity + name
                + key.publicKey.derRepresentation + node(0xa3, sequence(alternative)))
        let signature = try key.signature(for: body).derRepresentation
        return sequence(body + algorithm + node(0x03, Data([0]) + signature))
    }

    private static func sequence(_ content: Data) -> Data { node(0x30, content) }

    private static func identifier(_ bytes: [UInt8]) -> Data { node(0x06, Data(bytes)) }

    private static func node(_ tag: UInt8, _ content: Data) -> Data {
        var length = Data()
        switch content.count {
        case ..<128: length.append(UInt8(content.count))
        case ..<256: length.append(contentsOf: [0x81, UInt8(content.count)])
        default: length.append(contentsOf: [0x82, UInt8(content.count >> 8), UInt8(content.count & 255)])
        }
        return Data([tag]) + length + content
    }
}
