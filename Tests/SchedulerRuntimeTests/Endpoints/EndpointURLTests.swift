import SchedulerRuntime
import Testing

@Suite struct EndpointURLTests {
    @Test func aURLIsTakenApart() throws {
        let plain = try EndpointSpecification.parse(url: "http://10.0.0.1:8000/").get()
        #expect(plain.url == "http://10.0.0.1:8000" && plain.host == "10.0.0.1" && plain.port == 8000)
        #expect(plain.tls == nil && plain.pathPrefix == "")
        let secure = try EndpointSpecification.parse(url: "https://[fe80::1]/some/prefix").get()
        #expect(secure.host == "fe80::1" && secure.port == 443 && secure.pathPrefix == "/some/prefix")
        #expect(secure.tls != nil)
    }

    /// Its parts go into request lines: a byte that ends one would begin another.
    @Test(arguments: ["\r\n", "\n", "\r", "\t", " ", "\0", "\u{7f}", "\u{301}", "ä", "?", "#", "@"])
    func whatDoesNotBelongIntoARequestLineIsRefused(_ part: String) {
        for url in ["http://a\(part)b", "http://a:80/x\(part)y", "http://a:80/x\(part)", "http://a:80/x\(part)Evil: 1"]
        {
            #expect(throws: URLFault.self) { try EndpointSpecification.parse(url: url).get() }
        }
    }
}
