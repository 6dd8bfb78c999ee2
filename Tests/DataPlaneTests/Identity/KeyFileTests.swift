import DataPlane
import Testing

@Suite struct KeyFileTests {
    private static let hash = KeyDigest(ofKey: "secret").hexadecimal

    @Test func readsTenantsRightsCommentsAndBothLineEnds() throws {
        let other = KeyDigest(ofKey: "second").hexadecimal
        let entries = try KeyFile.parse("# keys\r\n\nteam-a \(Self.hash) # laptop\r\nops\t\(other)  admin trusted\n")
        #expect(entries.map(\.identity.tenant) == ["team-a", "ops"])
        #expect(entries[0].identity == Identity(tenant: "team-a", isTrusted: false, isAdmin: false))
        #expect(entries[1].identity == Identity(tenant: "ops", isTrusted: true, isAdmin: true))
        #expect(entries[0].digest == KeyDigest(ofKey: "secret"))
    }

    @Test func digestIsSHA256() {
        // The digest of "abc" in FIPS 180-4.
        #expect(
            KeyDigest(ofKey: "abc").hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(KeyDigest(hexadecimal: KeyDigest(ofKey: "abc").hexadecimal.uppercased()) == KeyDigest(ofKey: "abc"))
    }

    @Test(arguments: [
        ("team", "expected `tenant"), ("team abc", "64 hexadecimal"), ("te:am \(hash)", "the tenant may hold"),
        ("team \(hash) root", "`root` is not a right"), ("\na \(hash)\nb \(hash)", "the key of line 2 again"),
        ("team \(hash.dropLast())g", "64 hexadecimal"),
    ])
    func namesLineAndProblem(text: String, problem: String) {
        let error = #expect(throws: KeyFileError.self) { try KeyFile.parse(text) }
        #expect(error?.problem.contains(problem) == true)
        #expect(error?.line == text.split(separator: "\n", omittingEmptySubsequences: false).count)
    }

    @Test func aLineReadsBackAsItsEntry() throws {
        for rights in [(false, false), (true, false), (false, true), (true, true)] {
            let identity = Identity(tenant: "a/b", isTrusted: rights.0, isAdmin: rights.1)
            let entry = KeyEntry(digest: KeyDigest(ofKey: "k"), identity: identity)
            #expect(try KeyFile.parse(KeyFile.line(for: entry)) == [entry])
        }
    }

    @Test func everyBeginningAndEveryLostByteIsReadOrRefused() {
        let text = "# k\r\nteam \(Self.hash) admin # é\n\n"
        let characters = Array(text.unicodeScalars)
        for index in characters.indices {
            var scalars = String.UnicodeScalarView()
            scalars.append(contentsOf: characters[..<index])
            let beginning = String(scalars)
            scalars.append(contentsOf: characters[(index + 1)...])
            for candidate in [beginning, String(scalars)] {
                do throws(KeyFileError) {
                    #expect(try KeyFile.parse(candidate).count <= 1)
                } catch {
                    #expect(error.line == 1 || error.line == 2)
                }
            }
        }
    }
}
