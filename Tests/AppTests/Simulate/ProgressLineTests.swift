import Testing

@testable import App
@testable import Simulation

@Suite struct ProgressLineTests {
    /// What is written when a run tells of itself and ends.
    private func written(isWanted: Bool?, isTerminal: Bool) -> [String] {
        final class Page { var texts: [String] = [] }
        let page = Page()
        var line = ProgressLine(isWanted: isWanted, isTerminal: isTerminal) { page.texts.append($0) }
        line.show(RunProgress(virtualSeconds: 4000, share: 0.25), of: "neap", after: 10)
        line.clear()
        return page.texts
    }

    @Test func `the line has policy, virtual time, share, rate and what is left`() {
        let text = "neap: 1:06:40 of the run, 25 %, 400 s/s, 0:00:30 left"
        #expect(written(isWanted: nil, isTerminal: true) == ["\r\(text)\u{1b}[K", "\r\u{1b}[K"])
        #expect(written(isWanted: true, isTerminal: false) == [text + "\n"])
    }

    @Test func `nothing is said where nobody looks or nobody wants it`() {
        #expect(written(isWanted: nil, isTerminal: false) == [])
        #expect(written(isWanted: false, isTerminal: true) == [])
    }

    @Test func `a run that has done nothing yet knows no end`() {
        let text = ProgressLine.text(RunProgress(virtualSeconds: 0, share: 0), of: "neap", after: 0)
        #expect(text == "neap: 0:00:00 of the run, 0 %, 0 s/s, 0:00:00 left")
    }

    @Test func `lines that follow at once are left out`() {
        final class Page { var texts: [String] = [] }
        let page = Page()
        var line = ProgressLine(isWanted: true, isTerminal: false) { page.texts.append($0) }
        for number in 0..<1000 { line.show("\(number)") }
        #expect(page.texts.first == "0\n")
        #expect(page.texts.count < 1000)
    }
}
