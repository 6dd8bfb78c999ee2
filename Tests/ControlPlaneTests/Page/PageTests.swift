import Crypto
import DataPlane
import Foundation
import Testing

@Suite struct PageTests {
    @Test func thePolicyAllowsExactlyItsOwnStyleAndScript() async throws {
        let answer = try await Fixture().answer(ControlRequest("GET", "/"))
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/html; charset=utf-8")
        #expect(answer.header("x-content-type-options") == "nosniff")
        let policy = try #require(answer.header("content-security-policy"))
        #expect(policy.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("unsafe"))
        for tag in ["script", "style"] {
            let open = try #require(answer.text.range(of: "<\(tag)>"))
            let close = try #require(answer.text.range(of: "</\(tag)>"))
            let content = answer.text[open.upperBound..<close.lowerBound]
            let hash = Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString()
            #expect(policy.contains("\(tag)-src 'sha256-\(hash)'"))
        }
    }

    @Test func thePageStandsAloneAndSetsTextOnly() async throws {
        let page = try await Fixture().answer(ControlRequest("GET", "/")).text
        #expect(!page.contains("innerHTML") && !page.contains("document.write") && !page.contains("eval("))
        #expect(!page.contains("src=\"http") && !page.contains("@import") && !page.contains("url("))
        #expect(!page.contains(" style=\""), "inline styles are not in the policy")
        #expect(answerHasNoCrossOrigin(try await Fixture().answer(ControlRequest("GET", "/"))))
    }

    private func answerHasNoCrossOrigin(_ answer: RecordingWriter.Answer) -> Bool {
        answer.header("access-control-allow-origin") == nil
    }
}
