import DataPlane
import Foundation
import Synchronization
import Testing

@testable import App

@Suite struct KeyFileEditTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.appending(path: "keys").path)
    }

    private func entry(_ tenant: String, _ key: String) -> KeyEntry {
        KeyEntry(digest: KeyDigest(ofKey: key), identity: Identity(tenant: tenant, isTrusted: false, isAdmin: true))
    }

    @Test func makesThenExtendsAFileOfItsOwner() throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            // Somebody edits it and forgets the last line end.
            let first = try String(contentsOfFile: path, encoding: .utf8)
            try ("# ours\n" + first.dropLast()).write(toFile: path, atomically: false, encoding: .utf8)
            try KeyFileEdit(path: path).append(entry("b", "two"))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.hasPrefix("# ours\n"))
            #expect(try KeyFile.parse(text) == [entry("a", "one"), entry("b", "two")])
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func aFileThatCannotBeReadOrAKnownKeyLeavesItAsItWas() throws {
        try inFolder { path in
            try "nonsense\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(throws: KeyFileError.self) { try KeyFileEdit(path: path).append(entry("a", "one")) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "nonsense\n")
            try FileManager.default.removeItem(atPath: path)
            try KeyFileEdit(path: path).append(entry("a", "one"))
            #expect(throws: KeyFileError.self) { try KeyFileEdit(path: path).append(entry("b", "one")) }
            #expect(try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).count == 1)
        }
    }

    @Test func editsAtTheSameTimeLoseNothing() throws {
        try inFolder { path in
            let failures = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 24) { number in
                do {
                    try KeyFileEdit(path: path).append(entry("t\(number)", "key-\(number)"))
                } catch {
                    failures.withLock { $0 += 1 }
                }
            }
            #expect(failures.withLock { $0 } == 0)
            let tenants = try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).map(\.identity.tenant)
            #expect(Set(tenants) == Set((0..<24).map { "t\($0)" }))
        }
    }

    @Test func anotherEditThatDoesNotEndIsNamed() throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY)
            defer { close(folder) }
            #expect(flock(folder, LOCK_EX) == 0)
            var edit = KeyFileEdit(path: path)
            edit.lockAttempts = 2
            #expect { try edit.append(entry("b", "two")) } throws: {
                ($0 as? KeyFileError)?.problem.hasPrefix("is being changed by another process") == true
            }
            #expect(try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).count == 1)
        }
    }

    /// What NFS and its like say of a lock on a folder. A key that two edits at once could lose is worse than none.
    @Test(arguments: [EBADF, ENOLCK, ENOTSUP])
    func aFolderWithoutLocksIsNamedWithTheWayOut(_ error: Int32) throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            var edit = KeyFileEdit(path: path)
            edit.setLock = { _, _ in
                errno = error
                return -1
            }
            #expect {
                try edit.append(entry("b", "two"))
            } throws: {
                let text = "\($0)"
                return !text.contains("another process") && text.contains("nothing was changed")
                    && text.contains("neap keys hash") && text.contains(String(cString: strerror(error)))
            }
            #expect(try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).count == 1)
        }
    }

    @Test func ownerGroupAndModeStay() throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            // Only root may give files away; for others the file stays theirs.
            let owner: (UInt32, UInt32) = geteuid() == 0 ? (1234, 4321) : (geteuid(), getegid())
            #expect(chown(path, owner.0, owner.1) == 0)
            try KeyFileEdit(path: path).append(entry("b", "two"))
            let status = try FileManager.default.attributesOfItem(atPath: path)
            #expect(status[.ownerAccountID] as? UInt32 == owner.0)
            #expect(status[.groupOwnerAccountID] as? UInt32 == owner.1)
            #expect(status[.posixPermissions] as? Int == 0o640)
            #expect(try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).count == 2)
        }
    }

    @Test func aFileThatCannotKeepItsOwnerIsNotTouched() throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            let before = try String(contentsOfFile: path, encoding: .utf8)
            var edit = KeyFileEdit(path: path)
            edit.setOwner = { _, _, _ in
                errno = EPERM
                return -1
            }
            let user = geteuid()
            #expect {
                try edit.append(entry("b", "two"))
            } throws: {
                "\($0)".contains("user \(user)") && "\($0)".contains("nothing was changed")
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
            let folder = URL(filePath: path).deletingLastPathComponent().path()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys"])
        }
    }

    @Test func aLinkStaysALink() throws {
        try inFolder { path in
            try KeyFileEdit(path: path).append(entry("a", "one"))
            try FileManager.default.createSymbolicLink(atPath: path + "-link", withDestinationPath: path)
            try KeyFileEdit(path: path + "-link").append(entry("b", "two"))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path + "-link") == path)
            #expect(try KeyFile.parse(String(contentsOfFile: path, encoding: .utf8)).count == 2)
        }
    }

    @Test func keysAreLongAndDiffer() {
        let keys = Set((0..<100).map { _ in SecretKey.make() })
        #expect(keys.count == 100)
        #expect(keys.allSatisfy { $0.utf8.count == 45 && $0.hasPrefix("neap-") })
    }
}
