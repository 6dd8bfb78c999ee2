import DataPlane
import Foundation
import Logging
import Testing

@Suite struct KeyTableTests {
    private let table = KeyTable([
        KeyEntry(digest: KeyDigest(ofKey: "key-a"), identity: Identity(tenant: "a", isTrusted: false, isAdmin: false)),
        KeyEntry(digest: KeyDigest(ofKey: "key-b"), identity: Identity(tenant: "b", isTrusted: true, isAdmin: true)),
    ])

    @Test func bearerAndAnthropicHeaderNameTheTenant() {
        #expect(table.identify(authorization: "Bearer key-a", apiKey: nil)?.tenant == "a")
        #expect(table.identify(authorization: "bearer   key-b", apiKey: nil)?.tenant == "b")
        #expect(table.identify(authorization: nil, apiKey: "key-a")?.tenant == "a")
        #expect(table.identify(authorization: "Bearer unused", apiKey: "key-a")?.tenant == "a")
    }

    @Test(arguments: ["", "Bearer", "Bearer ", "key-a", "Basic key-a", "Bearer key-A", "Bearer key-a x"])
    func anythingElseIsNobody(header: String) {
        #expect(table.identify(authorization: header, apiKey: nil) == nil)
    }

    @Test func withoutKeysEverybodyIsTheOneTenant() {
        #expect(AnyKey().identify(authorization: nil, apiKey: nil) == Identity())
    }

    @Test func aBadFileKeepsTheOldKeysAndAMendedOneIsTaken() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let write = { (text: String) in try text.write(toFile: path, atomically: true, encoding: .utf8) }
        try write("a \(KeyDigest(ofKey: "one").hexadecimal)\n")
        let source = try KeyFileSource(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let known = { (key: String) in source.table.identify(authorization: "Bearer \(key)", apiKey: nil) != nil }
        #expect(known("one"))

        try write("a not-a-hash\n")
        source.reloadIfChanged()
        #expect(known("one"))
        #expect(source.failures == 1)
        source.reloadIfChanged()
        #expect(source.failures == 1, "an unchanged bad file is reported once")

        try write("a \(KeyDigest(ofKey: "two").hexadecimal)\n")
        source.reloadIfChanged()
        #expect(known("two"))
        #expect(!known("one"))

        try FileManager.default.removeItem(atPath: path)
        source.reloadIfChanged()
        #expect(known("two"), "a file that is gone keeps the keys")
        #expect(source.failures == 2)
    }

    @Test func aStartWithoutTheFileFails() {
        #expect(throws: KeyFileError.self) {
            try KeyFileSource(
                path: "/nonexistent/keys", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }
}
